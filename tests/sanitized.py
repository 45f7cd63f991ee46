"""C sources -> a program that stops at a bad address, at undefined behaviour, or at a data race."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from capexport.errors import RuntimeMissingError
from capexport.kernels.build import KERNELS
from capexport.kernels.compiler import find_compiler
from capexport.kernels.targets import TARGETS

SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer")
SANITIZE_THREADS = ("-fsanitize=thread",)
FLAGS = ("-std=c11", "-O1", "-g", "-fno-math-errno", "-ffp-contract=off")
LIBRARIES = ("-lm", "-ldl", "-pthread")


def sanitized(folder: Path, flags: Sequence[str], sources: Sequence[Path]) -> Path:
    """The program that the sources make; skips the test where it cannot be."""
    try:
        compiler = find_compiler(TARGETS["host"])
    except RuntimeMissingError as error:
        pytest.skip(error.what)
    empty = folder / "empty.c"
    empty.write_text("int main(void) { return 0; }\n")
    if subprocess.run([*compiler, *flags, str(empty), "-o", str(folder / "empty")]).returncode:
        pytest.skip("the compiler has no sanitizers")
    include = (f"-I{KERNELS / 'include'}", f"-I{KERNELS / 'adapters' / 'litert'}")
    command = [*compiler, *FLAGS, *flags, *include, *map(str, sources), *LIBRARIES, "-o", "program"]
    subprocess.run(command, cwd=folder, check=True, timeout=300)
    return folder / "program"
