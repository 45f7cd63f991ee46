"""A zip into its list of members, refused before anything is unpacked when it is hostile."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from capexport.checkpoint.limits import Limits
from capexport.errors import CheckpointError

ENCRYPTED = 0x1
READABLE = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
DAMAGED_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    OverflowError,
    ValueError,
)
"""What the zipfile module raises on damaged bytes."""


@contextmanager
def opened(file: Path | BytesIO, where: str, what: str) -> Iterator[zipfile.ZipFile]:
    """A zip open for reading; damage met inside the block is a CheckpointError about `what`."""
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except DAMAGED_ZIP as error:
        raise CheckpointError(
            f"{what} is damaged or cut short: {error}",
            where=where,
            hint="fetch the file again and compare its size or checksum with the publisher's",
        ) from error


def check_directory(
    archive: zipfile.ZipFile, where: str, *, most_bytes: int, limits: Limits
) -> list[zipfile.ZipInfo]:
    """Members of `archive`, once their number, kinds and unpacked sizes are found acceptable.

    zipfile never unpacks more of a member than the size its directory declares, so bounding the
    declared sizes bounds the memory.
    """
    members = archive.infolist()
    if len(members) > limits.archive_members:
        raise CheckpointError(
            f"the zip has {len(members)} members, more than {limits.archive_members}",
            where=where,
            hint="unpack it yourself and pass the folder if you trust it",
        )
    for member in members:
        if member.flag_bits & ENCRYPTED or member.compress_type not in READABLE:
            raise CheckpointError(
                "the zip has an encrypted member, or one packed by an unusual method",
                where=f"{where}: {member.filename}",
                hint="unpack it yourself and pass the folder if you trust it",
            )
    unpacked = sum(member.file_size for member in members)
    if unpacked > most_bytes:
        raise CheckpointError(
            f"the zip unpacks to {unpacked} bytes, more than {most_bytes}",
            where=where,
            hint="this looks like a zip bomb; no published checkpoint is that large",
        )
    return members
