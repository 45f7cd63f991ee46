"""What a program for an arm64 device is built for, and what must be on the device to start it."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from capexport.android_archive import native_libraries
from capexport.bench.devices.libraries import LIBRARIES, library_in
from capexport.bench.devices.parts import ARM64_ROOT, ARM64_RUNTIMES, ROOT
from capexport.debian import cache_folder
from capexport.errors import RuntimeMissingError
from capexport.outputs import whole_file

LOADER = "ld-linux-aarch64.so.1"
GLIBC = (
    *(LOADER, "libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1"),
    *("libgcc_s.so.1", "libstdc++.so.6"),
)
ABI = "arm64-v8a"


class Userland(Protocol):
    """A C library, and runtimes that are linked to it."""

    @property
    def name(self) -> str: ...

    @property
    def build_target(self) -> str:
        """By the names of `kernels.TARGETS`."""
        ...

    @property
    def files(self) -> Mapping[str, Path]:
        """What every program needs beside it, by name."""
        ...

    @property
    def start(self) -> Sequence[str]:
        """The words before a program's path, in the folder of `files`."""
        ...

    def runtime_library(self, runtime: str) -> Path:
        """Raises RuntimeMissingError where there is none."""
        ...


class Glibc:
    """Debian's, pushed whole: a phone has none, and an old board not new enough.

    Raises:
        RuntimeMissingError: it was not fetched.
    """

    name = "glibc"
    build_target = "aarch64-linux-gnu"
    start = (f"./{LOADER}", "--library-path", ".")

    def __init__(self) -> None:
        root = ARM64_ROOT.needed() / ROOT
        self.files = {name: _library(root, name) for name in GLIBC}

    def runtime_library(self, runtime: str) -> Path:
        return library_in(ARM64_RUNTIMES[runtime].needed(), runtime)


def _library(root: Path, name: str) -> Path:
    """Some of the root's libraries lie below usr."""
    folders = (root / "lib/aarch64-linux-gnu", root / "usr/lib/aarch64-linux-gnu")
    return next(folder / name for folder in folders if (folder / name).exists()).resolve()


class Bionic:
    """Android's own, by the NDK; the runtimes are those that an app would have.

    Args:
        archives: .aar files of the runtimes.

    Raises:
        InputError: an archive is none.
    """

    name = "bionic"
    build_target = "aarch64-linux-android"
    files: Mapping[str, Path] = {}
    start = ()

    def __init__(self, archives: Sequence[Path]) -> None:
        self._archives = archives
        self._libraries = {
            name: data
            for archive in archives
            for name, data in native_libraries(archive, ABI).items()
        }

    def runtime_library(self, runtime: str) -> Path:
        """A copy in the user's cache, by its contents."""
        name = Path(LIBRARIES[runtime][1]).name.removesuffix(".*")
        if name not in self._libraries:
            raise RuntimeMissingError(
                f"there is no {name} for {ABI}",
                where=", ".join(map(str, self._archives)),
                hint=f"give an .aar of {runtime}, too",
            )
        data = self._libraries[name]
        file = cache_folder() / "android-runtimes" / hashlib.sha256(data).hexdigest()[:16] / name
        if not file.is_file():
            file.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(file) as beside:
                beside.write_bytes(data)
        return file
