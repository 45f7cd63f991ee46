"""Pruned and quantized variants: masks folded, int8 weights kept on the grid they came on."""

import warnings
from pathlib import Path
from typing import Any

import hugging_face_models as models
import numpy as np
import pytest
import torch
from torch.nn.utils import prune

from capexport.captioner import build_captioner
from capexport.captioner.search import greedy
from capexport.checkpoint import Checkpoint, read_checkpoint
from capexport.compress.rows import quantize_rows
from capexport.errors import CheckpointError
from capexport.ir.graph import Constant

LAYER = "text_decoder.bert.encoder.layer.0.crossattention.self.query"


def as_pickle(model: Any, folder: Path) -> Path:
    """The folder with the model's state dictionary as torch.save writes it."""
    models.save(models.blip(), folder)
    (folder / "model.safetensors").unlink()
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    return folder


def pruned_blip() -> Any:
    model = models.blip()
    for module in model.modules():
        if isinstance(module, torch.nn.Linear):
            prune.l1_unstructured(module, "weight", amount=0.6)
    return model


def test_masks_are_folded_and_captions_are_those_of_the_masked_model(tmp_path: Path) -> None:
    model = pruned_blip()
    checkpoint = read_checkpoint(as_pickle(model, tmp_path / "m"))
    weight = checkpoint.tensors[f"{LAYER}.weight"]
    assert torch.equal(weight, model.get_submodule(LAYER).weight)
    assert (weight == 0).float().mean() == pytest.approx(0.6, abs=1 / weight.numel())
    assert not [name for name in checkpoint.tensors if name.endswith(("_orig", "_mask"))]
    picture = models.pictures()[0]
    expected = models.generated(model, picture, 1)
    assert greedy(build_captioner(checkpoint), picture[None])[0] == expected


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda s: s.pop(f"{LAYER}.weight_mask"), "has no mask"),
        (lambda s: s.pop(f"{LAYER}.weight_orig"), "has no weight"),
        (lambda s: s[f"{LAYER}.weight_mask"].fill_(0.5), "other than 0 and 1"),
        (lambda s: s.update({f"{LAYER}.weight_mask": torch.ones(2, 2)}), "has shape"),
    ],
)
def test_masks_that_make_no_sense_are_refused(change: Any, what: str, tmp_path: Path) -> None:
    folder = as_pickle(pruned_blip(), tmp_path / "m")
    state = torch.load(folder / "pytorch_model.bin")
    change(state)
    torch.save(state, folder / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match=what):
        read_checkpoint(folder)


@pytest.fixture(scope="module", params=["per tensor", "per channel"])
def quantized(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A model after torch.ao.quantization.quantize_dynamic, and what is read of its file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch names torchao as its successor
        return _quantized(request.param, tmp_path_factory.mktemp("quantized") / "m")


def _quantized(scheme: str, folder: Path) -> tuple[Any, Checkpoint]:
    from torch.ao import quantization

    config = {
        "per tensor": quantization.default_dynamic_qconfig,
        "per channel": quantization.per_channel_dynamic_qconfig,
    }[scheme]
    model = quantization.quantize_dynamic(models.blip(), {torch.nn.Linear: config})
    return model, read_checkpoint(as_pickle(model, folder))


def test_quantized_weights_keep_their_grid(quantized: tuple[Any, Checkpoint]) -> None:
    model, checkpoint = quantized
    seen = []
    for name, module in model.named_modules():
        if not hasattr(module, "_packed_params") or name.endswith("_packed_params"):
            continue
        original = module.weight()
        read = checkpoint.tensors[f"{name}.weight"]
        assert torch.equal(read, original.dequantize())
        lowest = original.int_repr() == -128
        one_step = -original.dequantize().abs().amax(1, keepdim=True) / 128
        expected = torch.where(lowest, original.dequantize() - one_step, original.dequantize())
        ours = quantize_rows(Constant(name, read.numpy())).dequantized()
        np.testing.assert_array_equal(ours[~lowest], original.dequantize()[~lowest])
        np.testing.assert_allclose(ours, expected, rtol=1e-6)
        seen.append(int(original.int_repr().min()))
    assert len(seen) == 30
    assert -128 in seen


def test_a_quantized_head_is_not_tied_any_more(quantized: tuple[Any, Checkpoint]) -> None:
    model, checkpoint = quantized
    captioner = build_captioner(checkpoint)
    head = model.text_decoder.cls.predictions.decoder.weight().dequantize()
    assert torch.equal(captioner.decoder_step.head.logits.weight, head)
    table = model.text_decoder.bert.embeddings.word_embeddings.weight
    assert torch.equal(captioner.decoder_step.embedding.words.weight, table)


def test_a_packed_entry_that_is_no_pair_is_refused(tmp_path: Path) -> None:
    folder = as_pickle(models.blip(), tmp_path / "m")
    state = torch.load(folder / "pytorch_model.bin")
    state[f"{LAYER}._packed_params._packed_params"] = 3
    torch.save(state, folder / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match="not a tensor"):
        read_checkpoint(folder)
