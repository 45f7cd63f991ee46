"""An APK whose stored entries begin where Android maps them: libraries on 16 KB, others on 4 bytes.

Debian's zipalign knows pages of 4 KB only. The padding is an extra field of the entry's header with
the multiple in front, which makes apksigner keep it (APK Signature Scheme's zip entry alignment).
"""

import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

ALIGNMENT_FIELD = 0xD935
HEADER_BYTES = 30
NAME_LENGTHS_AT = 26
PAGE, WORD = 16_384, 4
THE_SAME_DATE = (1981, 1, 1, 1, 1, 2)
"""Equal inputs make equal bytes."""


def align(source: Path, target: Path) -> None:
    """Write `source` anew as `target`, aligned and dated alike."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            copy = zipfile.ZipInfo(entry.filename, THE_SAME_DATE)
            copy.compress_type = entry.compress_type
            if entry.compress_type == zipfile.ZIP_STORED:
                start = new.start_dir + HEADER_BYTES + len(entry.filename.encode())
                copy.extra = _padding(start, _multiple(entry.filename))
            new.writestr(copy, old.read(entry))


def misaligned(apk: Path) -> list[str]:
    """Names of stored entries that begin elsewhere."""
    return [name for name, start in _stored(apk) if start % _multiple(name)]


def _multiple(name: str) -> int:
    return PAGE if name.endswith(".so") else WORD


def _padding(start: int, multiple: int) -> bytes:
    """The extra field that moves data from `start`, where they would be without it."""
    pad = -(start + 6) % multiple
    return struct.pack("<HHH", ALIGNMENT_FIELD, 2 + pad, multiple) + bytes(pad)


def _stored(apk: Path) -> Iterator[tuple[str, int]]:
    """Name of every stored entry, and where its data begin."""
    with zipfile.ZipFile(apk) as archive, apk.open("rb") as raw:
        for entry in archive.infolist():
            if entry.compress_type == zipfile.ZIP_STORED:
                raw.seek(entry.header_offset + NAME_LENGTHS_AT)
                name, extra = struct.unpack("<HH", raw.read(4))
                yield entry.filename, entry.header_offset + HEADER_BYTES + name + extra
