"""An Android archive (.aar) -> the native libraries in it."""

import zipfile
import zlib
from pathlib import Path

from capexport.errors import InputError


def native_libraries(archive: Path, abi: str) -> dict[str, bytes]:
    """Contents by file name, such as libonnxruntime.so, of one ABI, such as arm64-v8a.

    Raises:
        InputError: it is no such archive, or cannot be read.
    """
    folder = f"jni/{abi}/"
    try:
        with zipfile.ZipFile(archive) as aar:
            names = [n.removeprefix(folder) for n in aar.namelist() if n.startswith(folder)]
            return {n: aar.read(folder + n) for n in names if n.endswith(".so") and "/" not in n}
    except (OSError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(
            f"it cannot be read: {error}", where=str(archive), hint="give an .aar file"
        ) from error
