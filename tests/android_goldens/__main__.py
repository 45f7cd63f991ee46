"""`python -m android_goldens FOLDER`: what android_demo/core must do as Python does, as files.

The Java tests read them: pictures and digests of their pixels, texts of tokens, captions of a
made-up captioner. Integers and floats in raw files are big-endian.
"""

import sys
from pathlib import Path

from android_goldens import pictures, searches, texts


def write(folder: Path) -> None:
    """All of them into an existing folder."""
    pictures.write(folder)
    texts.write(folder)
    searches.write(folder)


def main(arguments: list[str]) -> int:
    """Write the goldens to the folder that is named."""
    if len(arguments) != 1:
        print("usage: python -m android_goldens FOLDER", file=sys.stderr)
        return 2
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    write(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
