"""What the export refuses before it reads anything."""

from pathlib import Path
from typing import Any

import pytest

from capexport.errors import BundleError, CapexportError, InputError, UnsupportedError
from capexport.export import export


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"recipe": "int7"}, InputError),
        ({"formats": ("pb",)}, InputError),
        ({"weights": "feathers"}, UnsupportedError),
        ({"out": "no/such/parent"}, BundleError),
        ({"out": "."}, BundleError),
    ],
)
def test_options_are_refused_before_the_checkpoint_is_read(
    options: dict[str, Any], error: type[CapexportError], tmp_path: Path
) -> None:
    options = {**options, "out": tmp_path / options.get("out", "bundle")}
    with pytest.raises(error):  # a CheckpointError would say that it went looking
        export(tmp_path / "nothing", **options)
    assert list(tmp_path.iterdir()) == []
