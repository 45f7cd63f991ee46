"""A small captioner, and a suite of it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from checkpoints import write_up_down

Write = Callable[..., Path]


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_up_down(tmp_path_factory.mktemp("sweep") / "checkpoint")


@pytest.fixture
def write_suite(checkpoint: Path, tmp_path: Path) -> Write:
    """Devices, forms (recipe, weights) and a number of runs -> the suite's file."""

    def write(devices: list[str], *forms: tuple[str, str], runs: int = 2) -> Path:
        lines = [
            f"devices = {devices}",
            'runtimes = ["litert"]',
            f"settings = {{ beam = 2, rounds = 1, runs = {runs} }}",
            f"[checkpoints.small]\npath = '{checkpoint}'",
        ]
        for recipe, weights in forms:
            lines.append(
                f'[[forms]]\nname = "{recipe} {weights}"\n'
                f'recipe = "{recipe}"\nweights = "{weights}"'
            )
        (tmp_path / "suite.toml").write_text("\n".join(lines))
        return tmp_path / "suite.toml"

    return write
