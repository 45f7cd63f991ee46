"""Fixtures every folder of tests may use."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Published checkpoints, golden arrays and images that may not be committed here.

    Where they are absent the test is skipped; with CAPEXPORT_REQUIRE_DATA=1 (CI) it fails instead.
    """
    default = REPOSITORY.parent / "shared" / "data"
    path = Path(os.environ.get("CAPEXPORT_TEST_DATA", default))
    if not (path / "golden").is_dir():
        reason = f"no test data at {path}: set CAPEXPORT_TEST_DATA"
        if os.environ.get("CAPEXPORT_REQUIRE_DATA") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return path
