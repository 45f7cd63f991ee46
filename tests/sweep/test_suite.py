"""A suite's file becomes a grid, and what no suite says is refused with the reason."""

from pathlib import Path

import pytest

from capexport.bench.run import PACKAGES
from capexport.errors import InputError
from capexport.sweep import read_suite
from capexport.sweep.digests import cell_digest, contents, model_digest

SUITE = """
devices = ["host", "qemu:cortex-a76"]
runtimes = ["litert", "onnxruntime"]
settings = { rounds = 2, runs = 4 }

[checkpoints.small]
path = "$DATA/small"
encoder = "mobilenet_v2:$DATA/weights.npz"
input = "photo.jpg"

[[forms]]
name = "float"
recipe = "fp32"
weights = "dense"

[[forms]]
name = "int8"
recipe = "dynamic_wi8"
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "data/small").mkdir(parents=True)
    for name in ("data/small/model", "data/weights.npz", "photo.jpg"):
        (tmp_path / name).write_text(name)
    (tmp_path / "suite.toml").write_text(SUITE)
    return tmp_path / "suite.toml"


def test_the_grid(suite: Path) -> None:
    cells = read_suite(suite, {"DATA": "data"})
    assert [str(cell) for cell in cells] == [
        f"small, {form}, {runtime}, {device}"
        for form in ("float", "int8")
        for runtime in ("litert", "onnxruntime")
        for device in ("host", "qemu:cortex-a76")
    ]
    first = cells[0]
    assert first.model.path == suite.parent / "data/small"
    assert first.model.encoder == f"mobilenet_v2:{suite.parent}/data/weights.npz"
    assert first.photo == suite.parent / "photo.jpg"
    assert first.model.formats == ("tflite", "onnx")
    assert (first.model.weights, cells[-1].model.weights) == ("dense", "auto")
    settings = first.settings_for(beam=3)
    assert (settings.beam, settings.rounds, settings.samples) == (3, 2, 4)


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ('recipe = "fp32"', "", "'recipe' is missing"),
        ("rounds = 2", "round = 2", "settings has 'round', which is none of beam, rounds,"),
        ("rounds = 2", "rounds = 0", "rounds is 0"),
        ('"host", "qemu:cortex-a76"', "", "devices is no list of strings, or an empty one"),
        ('["host", "qemu:cortex-a76"]', '"host"', "devices is no list of strings"),
        ("rounds = 2", 'rounds = "2"', "settings: rounds is none of the numbers"),
        ("[checkpoints.small]", "[[checkpoints]]", "checkpoints is no table"),
        ('"$DATA/small"', "3", "checkpoints.small: path is none of the strings"),
        ('recipe = "fp32"', "recipe = 32", "forms: recipe is none of the strings"),
        ('"litert", ', '"tflite", ', "runtimes has 'tflite', which is none of"),
        ("[checkpoints.small]", "[checkpoint.small]", "the suite has 'checkpoint'"),
        ("[checkpoints.small]", "checkpoints.small", "the suite cannot be read"),
        ("$DATA/small", "$WHERE/small", "nothing stands for \\$WHERE"),
        ('name = "int8"', 'name = "int8"\nwieghts = "packed"', "forms has 'wieghts'"),
    ],
)
def test_what_no_suite_says(suite: Path, before: str, after: str, reason: str) -> None:
    suite.write_text(SUITE.replace(before, after, 1))
    with pytest.raises(InputError, match=reason):
        read_suite(suite, {"DATA": "data"})


def test_a_digest_changes_with_all_that_a_cell_depends_on(suite: Path) -> None:
    def digests() -> tuple[str, str]:
        contents.cache_clear()
        cell = read_suite(suite, {"DATA": "data"})[0]
        return model_digest(cell.model), cell_digest(cell)

    seen = [digests()]
    (suite.parent / "else").write_text("nothing that a cell reads")
    assert digests() == seen[0]
    for name in ("data/small/model", "data/weights.npz"):
        (suite.parent / name).write_text("changed")
        seen.append(digests())
    (suite.parent / "data/small/another").write_text("")
    seen.append(digests())
    assert len({model for model, _ in seen}) == len({cell for _, cell in seen}) == 4
    (suite.parent / "photo.jpg").write_text("changed")
    suite.write_text(SUITE.replace("runs = 4", "runs = 5"))
    changed = digests()
    assert changed[0] == seen[-1][0]
    assert changed[1] not in {cell for _, cell in seen}


def test_a_runtime_that_is_not_installed_is_no_error_of_the_digest(
    suite: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cell fails when it is measured, and stops no other."""
    cell = read_suite(suite, {"DATA": "data"})[0]
    before = cell_digest(cell)
    monkeypatch.setitem(PACKAGES, cell.runtime, "no-such-package")
    assert cell_digest(cell) != before
