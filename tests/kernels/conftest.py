"""The built library, or the reason why there is none."""

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
