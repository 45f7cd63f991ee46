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

Command = tuple[str, ...]


def find_compiler(target: Target) -> Command:
    """The command that compiles C for `target`: that of the machine, or Zig's clang.

    The environment variable CC goes first, for the host only.

    Raises:
        RuntimeMissingError: there is none.
    """
    command = _cross_compiler(target) if target.triple else _host_compiler()
    if command is None:
        own = "" if target.triple else "gcc or clang (Debian: apt install gcc), or "
        raise RuntimeMissingError(
            f"no C compiler for {target.name} was found",
            where="building the sparse kernels",
            hint=f"install {own}the clang that comes with: pip install ziglang",
        )
    return command


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
