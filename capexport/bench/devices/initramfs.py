"""Files of this machine -> an archive that Linux unpacks into memory and starts `/init` from."""

import shutil
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MAGIC = b"070701"
LAST = "TRAILER!!!"
PROGRAM, FOLDER = stat.S_IFREG | 0o755, stat.S_IFDIR | 0o755


@dataclass(frozen=True)
class Entry:
    """A folder, or a file that may be run.

    Args:
        name: below the root, without a leading slash; its folder must come before it.
        content: a file's; None makes a folder.
    """

    name: str
    content: Path | bytes | None = None


def write_archive(entries: Iterable[Entry], file: BinaryIO) -> None:
    """Write the format "newc" of cpio (Linux, driver-api/early-userspace/buffer-format.rst)."""
    for number, entry in enumerate(entries, 1):
        _write(entry.name, FOLDER if entry.content is None else PROGRAM, number, entry, file)
    _write(LAST, 0, 0, Entry(LAST), file)


def _write(name: str, mode: int, number: int, entry: Entry, file: BinaryIO) -> None:
    """A header of 13 numbers in hexadecimal digits, the name, the content; each padded to 4."""
    content = entry.content
    size = content.stat().st_size if isinstance(content, Path) else len(content or b"")
    ended = name.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, len(ended), 0)
    file.write(MAGIC + b"".join(b"%08X" % field for field in fields) + ended)
    _pad(file)
    if isinstance(content, Path):
        with content.open("rb") as source:
            shutil.copyfileobj(source, file)
    else:
        file.write(content or b"")
    _pad(file)


def _pad(file: BinaryIO) -> None:
    file.write(b"\0" * (-file.tell() % 4))
