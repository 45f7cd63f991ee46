"""What devices need besides this package: fetched into the user's cache, whole or not at all."""

import os
import platform
import shutil
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from capexport.bench.devices.libraries import LIBRARIES
from capexport.bench.devices.processes import run_command
from capexport.debian import Packages, unpacked
from capexport.errors import RuntimeMissingError

TIMEOUT_S = 1800.0
PLATFORMS = ("manylinux2014", "manylinux_2_17", "manylinux_2_27", "manylinux_2_28")
WHEELS = {"litert": "ai-edge-litert", "onnxruntime": "onnxruntime"}
SUITE = "bookworm"
"""Its glibc and libstdc++ are what the runtimes' wheels ask for; its llvm-19 knows the cores."""
KERNEL_SUITE, KERNEL_PACKAGE = "trixie", "linux-image-cloud-arm64"
"""It has in itself what an emulated machine's serial port needs, and pages of 4 KiB."""
ROOT = "root"
"""In the folder of Debian packages: where they were unpacked."""
KERNEL, BUSYBOX = "vmlinuz", "busybox"
"""In the folder of an emulated machine."""
OUR_ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), "amd64")
"""Debian's name of this machine's."""


@dataclass(frozen=True)
class Part:
    """One folder of the cache.

    Args:
        name: of the folder.
        purpose: what cannot be done without it.
        megabytes: to fetch, about.
        fetch: fills an empty folder.
    """

    name: str
    purpose: str
    megabytes: int
    fetch: Callable[[Path], None]

    @property
    def path(self) -> Path:
        return cache_folder() / self.name

    @property
    def is_there(self) -> bool:
        return self.path.is_dir()

    def needed(self) -> Path:
        """The folder; RuntimeMissingError where it has not been fetched."""
        if not self.is_there:
            raise RuntimeMissingError(
                f"{self.name} is needed for {self.purpose}",
                where=str(self.path),
                hint=f"capexport devices --install {self.name} (about {self.megabytes} MB)",
            )
        return self.path

    def install(self) -> None:
        """Fetch it next to its place and rename; an interrupted fetch leaves nothing there."""
        if self.is_there:
            return
        new = self.path.with_name(f".{self.name}.{os.getpid()}")
        new.mkdir(parents=True)
        try:
            self.fetch(new)
            new.replace(self.path)
        finally:
            shutil.rmtree(new, ignore_errors=True)


def cache_folder() -> Path:
    """Where parts are kept: capexport/devices in XDG_CACHE_HOME or ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "capexport", "devices")


def own_program(root: Path, program: str) -> list[str]:
    """The command that starts a program of an unpacked root by that root's loader and libraries."""
    machine = platform.machine()
    libraries = [root / "usr/lib" / f"{machine}-linux-gnu", root / "lib" / f"{machine}-linux-gnu"]
    name = {"x86_64": "ld-linux-x86-64.so.2", "aarch64": "ld-linux-aarch64.so.1"}[machine]
    loader = next(folder / name for folder in libraries if (folder / name).exists())
    return [str(loader), "--library-path", ":".join(map(str, libraries)), str(root / program)]


def _debian(name: str, architecture: str) -> Callable[[Path], None]:
    """A link to the packages, which have their own cache."""

    def fetch(folder: Path) -> None:
        packages = Packages(SUITE, architecture, (name,), with_dependencies=True)
        (folder / ROOT).symlink_to(unpacked(packages))

    return fetch


def _machine(folder: Path) -> None:
    """An emulator for this machine; an arm64 kernel and a shell for the emulated one."""
    _debian("qemu-system-arm", OUR_ARCHITECTURE)(folder)
    kernel = Packages(KERNEL_SUITE, "arm64", (KERNEL_PACKAGE,), with_dependencies=True)
    shutil.copy(max((unpacked(kernel) / "boot").glob("vmlinuz-*")), folder / KERNEL)
    shell = Packages(KERNEL_SUITE, "arm64", ("busybox-static",))
    shutil.copy(unpacked(shell) / "usr/bin/busybox", folder / BUSYBOX)


def _wheel(runtime: str) -> Callable[[Path], None]:
    """The library of the version that is installed here, so that both sides run the same code."""

    def fetch(folder: Path) -> None:
        name, (package, _) = WHEELS[runtime], LIBRARIES[runtime]
        wheels = cache_folder() / "wheels"
        release = _installed_version(name)
        _download(name, release, wheels)
        wheel = next(wheels.glob(f"{name.replace('-', '_')}-{release}-*aarch64.whl"))
        with zipfile.ZipFile(wheel) as archive:
            members = [n for n in archive.namelist() if n.startswith(package) and ".so" in n]
            archive.extractall(folder, members)

    return fetch


def _installed_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError as error:
        raise RuntimeMissingError(
            f"{name} is not installed here: the emulated device runs the same version",
            where=name,
            hint=f"pip install {name}",
        ) from error


def _download(name: str, release: str, wheels: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--only-binary=:all:", "--implementation=cp"]
    command += [f"--python-version={sys.version_info.major}.{sys.version_info.minor}"]
    command += [f"--platform={platform}_aarch64" for platform in PLATFORMS]
    command += [f"--dest={wheels}", f"{name}=={release}"]
    done = run_command(command, timeout_s=TIMEOUT_S, where="pip")
    if done.status != 0:
        lines = [line for line in done.err.splitlines() if "ERROR" in line] or ["no reason given"]
        raise RuntimeMissingError(
            f"pip cannot fetch {name} {release} for arm64: {lines[-1]}",
            where="pip download",
            hint="check the connection to the package index",
        )


ARM64_ROOT = Part("arm64-root", "emulated Arm cores", 4, _debian("libstdc++6", "arm64"))
ARM64_RUNTIMES = {
    "litert": Part("arm64-litert", "LiteRT on emulated Arm cores", 15, _wheel("litert")),
    "onnxruntime": Part(
        "arm64-onnxruntime", "ONNX Runtime on emulated Arm cores", 22, _wheel("onnxruntime")
    ),
}
LLVM = Part(
    "llvm",
    "cycle estimates of Arm cores",
    70,
    _debian("llvm-19", OUR_ARCHITECTURE),
)
ARM64_MACHINE = Part("arm64-machine", "memory on emulated Arm machines", 90, _machine)
PARTS = {part.name: part for part in (ARM64_ROOT, *ARM64_RUNTIMES.values(), LLVM, ARM64_MACHINE)}
