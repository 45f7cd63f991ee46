"""`python tests/arm64_jvm.py`: an arm64 JVM under QEMU and both runtimes for it, into the cache.

Some 150 MB are downloaded: a Java of Debian with all that it needs, QEMU 10 (older ones hand the
host's /proc/cpuinfo to the guest, on which both runtimes fall), and the runtimes' arm64 wheels.
"""

import subprocess
import sys
import zipfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from capexport.debian import Packages, cache_folder, unpacked

JAVA = Packages("bookworm", "arm64", ("openjdk-17-jre-headless",), with_dependencies=True)
QEMU = Packages("trixie", "amd64", ("qemu-user",))
PLATFORMS = ("manylinux_2_28_aarch64", "manylinux_2_27_aarch64", "manylinux2014_aarch64")
LIBRARIES = {
    "ai-edge-litert": "ai_edge_litert/libLiteRt.so",
    "onnxruntime": "onnxruntime/capi/libonnxruntime.so",
}
"""By package, the start of the library's name in its wheel."""


@dataclass(frozen=True)
class Arm64Jvm:
    """What runs Java for arm64 here.

    Args:
        command: what goes in front of java's options.
        litert, onnxruntime: the runtimes' libraries.
    """

    command: tuple[str, ...]
    litert: Path
    onnxruntime: Path


def fetched() -> Arm64Jvm | None:
    """What an earlier run of this program fetched; None if there was none."""
    found = [_library(package) for package in LIBRARIES]
    if not all(found) or not (_wheels() / "whole").is_file():
        return None
    return _jvm()


def fetch() -> Arm64Jvm:
    """Download what is missing; raises RuntimeMissingError or CalledProcessError."""
    folder = _wheels()
    folder.mkdir(parents=True, exist_ok=True)
    for package in LIBRARIES:
        if _library(package) is None:
            _fetch_library(package, folder)
    jvm = _jvm()
    (folder / "whole").touch()
    return jvm


def _jvm() -> Arm64Jvm:
    root, qemu = unpacked(JAVA), unpacked(QEMU) / "usr/bin/qemu-aarch64"
    java = root / "usr/lib/jvm/java-17-openjdk-arm64/bin/java"
    command = (str(qemu), "-cpu", "cortex-a76", "-L", str(root), str(java))
    litert, onnxruntime = (_library(package) for package in LIBRARIES)
    assert litert is not None
    assert onnxruntime is not None
    # Compiled code costs more under an emulator than it saves in a few seconds.
    return Arm64Jvm((*command, "-XX:TieredStopAtLevel=1"), litert, onnxruntime)


def _wheels() -> Path:
    return cache_folder() / "arm64-runtimes"


def _library(package: str) -> Path | None:
    return next(iter(sorted(_wheels().glob(LIBRARIES[package] + "*"))), None)


def _fetch_library(package: str, folder: Path) -> None:
    """The library of the release that is installed here."""
    wanted = f"{package}=={version(package)}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "-d", str(folder)]
    command += ["--only-binary=:all:", "--python-version", "3.11", "--implementation", "cp"]
    command += [f"--platform={platform}" for platform in PLATFORMS]
    subprocess.run([*command, wanted], check=True)
    (wheel,) = folder.glob(f"{package.replace('-', '_')}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.startswith(LIBRARIES[package]))
        archive.extract(name, folder)
    wheel.unlink()


if __name__ == "__main__":
    print(fetch())
