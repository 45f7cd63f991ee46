"""A contender -> its model file, converted by its own tool in its own environment."""

import os
import subprocess
from pathlib import Path

from contenders import Contender
from environments import Environments

CONVERTERS = Path(__file__).resolve().parent / "converters"
MOST_SECONDS = 900


def prepare(contender: Contender, environments: Environments, models: Path) -> str | None:
    """Make the files of a contender in `models`; returns the reason when that failed."""
    try:
        environments.python(contender.environment)
        if contender.convert:
            _convert(contender, environments, models)
    except subprocess.CalledProcessError as error:
        return last_words(error.stderr, error.returncode)
    except subprocess.TimeoutExpired:
        return f"the conversion took more than {MOST_SECONDS} s"
    missing = [file for file in contender.files if not (models / file).is_file()]
    return f"the converter wrote no {missing[0]}" if missing else None


def _convert(contender: Contender, environments: Environments, models: Path) -> None:
    for file in contender.files:
        (models / file).unlink(missing_ok=True)
    script, *rest = contender.convert
    python = environments.python(contender.converts_in or contender.environment)
    # a virtual environment's own programs come first
    path = os.pathsep.join([str(Path(python).parent), os.environ["PATH"]])
    subprocess.run(
        [python, str(CONVERTERS / script), *rest],
        cwd=models,
        env={**os.environ, "PATH": path},
        check=True,
        capture_output=True,
        text=True,
        timeout=MOST_SECONDS,
    )


def last_words(stderr: str, code: int) -> str:
    """The last line that a failed process wrote, and how it ended."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    ended = f"signal {-code}" if code < 0 else f"exit status {code}"
    return f"{ended}: {lines[-1][:200]}" if lines else ended
