"""Finds a C compiler for a target and runs it."""

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from capexport.errors import RuntimeMissingError
from capexport.kernels.targets import Target

TIMEOUT_S = 600
NDK_VARIABLES = ("ANDROID_NDK", "ANDROID_NDK_HOME", "ANDROID_NDK_ROOT")
LEAST_ANDROID = 23
"""API level of Android 6."""

Command = tuple[str, ...]


def find_compiler(target: Target) -> Command:
    """The command that compiles C for `target`: that of the machine, of the NDK, or Zig's clang.

    The environment variable CC goes first, for the host only.

    Raises:
        RuntimeMissingError: there is none.
    """
    if target.linking == "ndk":
        return _ndk_compiler(target)
    command = _cross_compiler(target) if target.triple else _host_compiler()
    if command is None:
        own = "" if target.triple else "gcc or clang (Debian: apt install gcc), or "
        raise RuntimeMissingError(
            f"no C compiler for {target.name} was found",
            where="building the sparse kernels",
            hint=f"install {own}the clang that comes with: pip install ziglang",
        )
    return command


def ndk_folder() -> Path | None:
    """Android's NDK, where an environment variable names one."""
    given = next((os.environ[name] for name in NDK_VARIABLES if os.environ.get(name)), None)
    return Path(given) if given else None


def _ndk_compiler(target: Target) -> Command:
    folder = ndk_folder() or Path()
    found = sorted(folder.glob("toolchains/llvm/prebuilt/*/bin/clang"))
    if not found:
        raise RuntimeMissingError(
            "the NDK has no clang in toolchains/llvm/prebuilt",
            where=str(folder),
            hint=f"let {NDK_VARIABLES[0]} name the folder of an installed NDK, or unset it",
        )
    return (str(found[-1]), f"--target={target.name}{LEAST_ANDROID}")


def _host_compiler() -> Command | None:
    if given := os.environ.get("CC"):
        return tuple(given.split())
    # On Arm gcc 12 wastes moves on the registers of a table lookup, clang does not.
    names = ["clang", "cc", "gcc"] if platform.machine() in ("aarch64", "arm64") else ["cc", "gcc"]
    for name in [*names, "clang"]:
        if path := shutil.which(name):
            return (path,)
    return _zig()


def _cross_compiler(target: Target) -> Command | None:
    zig = _zig()
    return (*zig, "-target", target.triple) if zig else None


def _zig() -> Command | None:
    if importlib.util.find_spec("ziglang"):
        return (sys.executable, "-m", "ziglang", "cc")
    path = shutil.which("zig")
    return (path, "cc") if path else None


def run_compiler(command: Sequence[str], folder: Path) -> None:
    """Runs one compiler command in `folder`.

    Raises:
        RuntimeMissingError: it cannot be started, fails, or takes ten minutes.
    """
    try:
        subprocess.run(
            command, cwd=folder, check=True, capture_output=True, text=True, timeout=TIMEOUT_S
        )
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines()
        reason = next((x for x in lines if "error" in x), "it gave no reason")
        raise _failure(command, reason) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _failure(command, str(error)) from error


def _failure(command: Sequence[str], reason: str) -> RuntimeMissingError:
    return RuntimeMissingError(
        f"the C compiler failed: {reason}",
        where=" ".join(command[:4]),
        hint="try another compiler: CC=clang, or pip install ziglang",
    )
