"""What `capexport evaluate --json` wrote -> the quality that a report holds beside its times."""

import json
from pathlib import Path
from typing import Any

from capexport.bundle import Bundle
from capexport.errors import InputError

KEPT = ("split", "images", "beam", "tokenizer", "metrics", "cider_95", "skipped")


def read_quality(path: Path, bundle: Bundle) -> dict[str, Any]:
    """KEPT of the document, whose captions are left out.

    Raises:
        InputError: it is no such document, or of another bundle.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        of, quality = document["bundle_sha256"], {name: document[name] for name in KEPT}
    except (OSError, ValueError, TypeError, KeyError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise InputError(
            f"this is no quality of captions: {reason}",
            where=str(path),
            hint="give what `capexport evaluate BUNDLE --data DATA --json` printed",
        ) from error
    if of != bundle.sha256:
        raise InputError(
            "the quality is of another bundle",
            where=str(path),
            hint=f"evaluate {bundle.path}",
        )
    return quality
