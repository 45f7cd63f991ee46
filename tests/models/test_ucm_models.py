"""The shipped models say in PyTorch, LiteRT and ONNX Runtime what their golden files say."""

import json
from pathlib import Path

import pytest
from shipped_models import (
    bundle_captions,
    checkpoints,
    float_captions,
    golden_images,
    int8_bundle,
)

from capexport.checkpoint import read_checkpoint

MODELS = Path(__file__).parents[2] / "models"
MOST_BYTES = 4_000_000
"""Of one checkpoint in git."""
ROUNDED_TO_ZERO = 0.019
"""Share of a normal row that int8 rounds to zero where its peak is at 6 standard deviations: a step
is 6 / 127 of one, and half a step either way holds .0188 of the weights."""
UCM = sorted(MODELS.glob("ucm-*"))
SHIPPED = [checkpoint for model in UCM for checkpoint in checkpoints(model)]


def named(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


@pytest.fixture
def encoder(shared_data: Path) -> Path:
    return shared_data / "encoders/mobilenet_v2_1.0_224_float.npz"


@pytest.mark.parametrize("path", SHIPPED, ids=named)
def test_shipped_checkpoints_are_small_and_as_sparse_as_their_name(path: Path) -> None:
    checkpoint = read_checkpoint(path)
    assert checkpoint.bytes_on_disk < MOST_BYTES
    _, _, percent = path.name.partition("-")
    sparsity = checkpoint.statistics()["sparsity"]
    if percent:
        assert sparsity == pytest.approx(float(percent) / 100, abs=0.01)
    else:
        assert sparsity < ROUNDED_TO_ZERO


@pytest.mark.parametrize("path", SHIPPED, ids=named)
def test_golden_captions_of_every_checkpoint(path: Path, encoder: Path, shared_data: Path) -> None:
    golden = json.loads((path.parent / "golden.json").read_text())
    images = golden_images(shared_data / "captions")
    assert [one.name for one in images] == golden["images"]
    assert float_captions(path, encoder, images) == golden["float"][path.name]


@pytest.mark.parametrize("model", UCM, ids=lambda model: model.name)
def test_golden_captions_in_int8(
    model: Path, encoder: Path, shared_data: Path, tmp_path: Path
) -> None:
    golden = json.loads((model / "golden.json").read_text())
    images = golden_images(shared_data / "captions")
    bundle = int8_bundle(model / golden["checkpoint"], encoder, images, tmp_path)
    for runtime in ("litert", "onnxruntime"):
        assert bundle_captions(bundle, runtime, images) == golden["int8"]
