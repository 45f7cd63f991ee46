"""The shipped models say in PyTorch, LiteRT and ONNX Runtime what their golden files say."""

import json
from pathlib import Path

import pytest
from shipped_models import bundle_captions, float_captions, golden_images, int8_bundle

from capexport.checkpoint import read_checkpoint

MODELS = Path(__file__).parents[2] / "models"
MOST_BYTES = 4_000_000
"""Of one checkpoint in git."""
SHIPPED = [path.parent for path in sorted(MODELS.glob("ucm-*/*/model.safetensors"))]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_shipped_checkpoints_are_small_and_as_sparse_as_their_name(path: Path) -> None:
    checkpoint = read_checkpoint(path)
    assert checkpoint.bytes_on_disk < MOST_BYTES
    _, _, percent = path.name.partition("-")
    assert checkpoint.statistics()["sparsity"] == pytest.approx(float(percent or 0) / 100, abs=0.01)


@pytest.mark.parametrize("model", sorted({path.parent for path in SHIPPED}), ids=lambda m: m.name)
def test_golden_captions(model: Path, shared_data: Path, tmp_path: Path) -> None:
    golden = json.loads((model / "golden.json").read_text())
    images = golden_images(shared_data / "captions")
    encoder = shared_data / "encoders/mobilenet_v2_1.0_224_float.npz"
    checkpoint = model / golden["checkpoint"]
    assert [one.name for one in images] == golden["images"]
    assert float_captions(checkpoint, encoder, images) == golden["float"]
    bundle = int8_bundle(checkpoint, encoder, images, tmp_path)
    for runtime in ("litert", "onnxruntime"):
        assert bundle_captions(bundle, runtime, images) == golden["int8"]
