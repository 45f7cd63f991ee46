"""A folder of bundles -> their captions, or refusals, in the runtime that is installed; no torch.

`python -m runtime_matrix.captions RUNTIME FOLDER` prints one line of JSON per bundle, as soon as it
has it: if the process dies, the line that is missing says at which bundle. Each bundle is a folder
FOLDER/SUBJECT/VARIANT, and FOLDER/SUBJECT/inputs holds a features file or pictures.
"""

import json
import sys
from pathlib import Path
from typing import Any

from capexport.bundle import MANIFEST, open_bundle
from capexport.errors import CapexportError
from capexport.runtime import caption, open_session, read_inputs

BEAMS = (1, 3)
INPUTS = "inputs"
TORCH_FREE = ("torch", "onnx", "capexport.captioner", "capexport.writers")


def bundles(folder: Path) -> list[Path]:
    """The bundles below a folder, by name."""
    return sorted(path.parent for path in folder.glob(f"*/*/{MANIFEST}"))


def captions(folder: Path, runtime: str) -> dict[str, Any]:
    """Tokens and log-probabilities of every input and beam, or the error's three lines."""
    try:
        bundle = open_bundle(folder)
        session = open_session(bundle, runtime)
        results = {
            f"{name} beam {beam}": caption(session, given, beam)
            for file in sorted((folder.parent / INPUTS).iterdir())
            for name, given in read_inputs(file, bundle.manifest.image).items()
            for beam in BEAMS
        }
    except CapexportError as error:
        return {"refused": str(error)}
    return {
        "tokens": {key: result.tokens for key, result in results.items()},
        "log_probs": {key: result.log_prob for key, result in results.items()},
    }


def main(runtime: str, folder: Path) -> None:
    for bundle in bundles(folder):
        print(
            json.dumps({"bundle": str(bundle.relative_to(folder)), **captions(bundle, runtime)}),
            flush=True,
        )
    import capexport.cli  # noqa: F401  the command line must import here too

    if needless := sorted(set(TORCH_FREE) & set(sys.modules)):
        sys.exit(f"captions need no {', '.join(needless)}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
