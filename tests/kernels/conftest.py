"""The built library, or the reason why there is none; files of a test."""

from collections.abc import Callable
from pathlib import Path

import pytest

from capexport.errors import RuntimeMissingError
from capexport.kernels import KernelLibrary, load


@pytest.fixture(scope="session")
def library() -> KernelLibrary:
    """The kernels for this machine; skips the test where no C compiler is."""
    try:
        return load()
    except RuntimeMissingError as error:
        pytest.skip(error.what)


@pytest.fixture
def save(tmp_path: Path) -> Callable[[bytes], Path]:
    """Write the graph of a test, a .tflite, and say where it is."""

    def to_file(data: bytes) -> Path:
        path = tmp_path / "graph.tflite"
        path.write_bytes(data)
        return path

    return to_file
