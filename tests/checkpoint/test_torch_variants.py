"""Pruned by torch.nn.utils.prune or quantized statically by torch.ao: a trainer's model.pth."""

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from random_checkpoints import random_checkpoint
from torch import nn
from torch.nn.utils import prune
from trainer_files import write_image_captioning_pytorch

from capexport.captioner import build_captioner
from capexport.checkpoint import Checkpoint, read_checkpoint

LINEARS = ("fc_embed", "_core.i2h", "_core.h2h", "logit")


def module_of(checkpoint: Checkpoint) -> nn.Module:
    """Modules with the checkpoint's names and weights, and what static quantization adds."""
    root = nn.Module()
    root._core = nn.Module()
    for name in LINEARS:
        weight, bias = (checkpoint.tensors[f"{name}.{part}"] for part in ("weight", "bias"))
        layer = nn.Linear(*reversed(weight.shape))
        layer.weight.data, layer.bias.data = weight.clone(), bias.clone()
        parent = root.get_submodule(name.rpartition(".")[0])
        setattr(parent, name.rpartition(".")[2], layer)
    table = checkpoint.tensors["embed.weight"]
    root.embed = nn.Embedding.from_pretrained(table.clone())
    return root


def read(state: dict[str, Any], checkpoint: Checkpoint, folder: Path) -> Checkpoint:
    write_image_captioning_pytorch(folder, checkpoint)
    torch.save(state, folder / "model.pth")
    return read_checkpoint(folder)


def statically_quantized(root: nn.Module) -> nn.Module:
    from torch.ao import quantization

    root.quant, root.skip_add = quantization.QuantStub(), nn.quantized.FloatFunctional()
    root.qconfig = quantization.get_default_qconfig("fbgemm")
    root.embed.qconfig = None
    prepared = quantization.prepare(root)
    for name in LINEARS:  # the observers see data, and from it come scales
        layer = prepared.get_submodule(name)
        layer(torch.randn(5, layer.in_features))
    x = prepared.quant(torch.randn(5, 4))
    prepared.skip_add.add(x, x)
    return quantization.convert(prepared)


def test_statically_quantized_weights_keep_their_grid(tmp_path: Path) -> None:
    checkpoint = random_checkpoint("newfc", sparsity=0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch names torchao as its successor
        quantized = statically_quantized(module_of(checkpoint))
    state = quantized.state_dict()
    added = {name for name in state if name.endswith((".scale", ".zero_point"))}
    assert added >= {"logit.scale", "quant.scale", "skip_add.zero_point"}
    got = read(state, checkpoint, tmp_path)
    assert set(got.tensors) == set(checkpoint.tensors)
    for name in LINEARS:
        weight = quantized.get_submodule(name).weight()
        assert weight.qscheme() is torch.per_channel_affine
        assert torch.equal(got.tensors[f"{name}.weight"], weight.dequantize())
        zero = checkpoint.tensors[f"{name}.weight"] == 0
        assert not got.tensors[f"{name}.weight"][zero].any()
    build_captioner(got)


def test_masks_are_multiplied_in(tmp_path: Path) -> None:
    checkpoint = random_checkpoint("newfc")
    root = module_of(checkpoint)
    for name in LINEARS:
        prune.l1_unstructured(root.get_submodule(name), "weight", amount=0.5)
    got = read(root.state_dict(), checkpoint, tmp_path)
    for name in LINEARS:
        weight = got.tensors[f"{name}.weight"]
        assert torch.equal(weight, root.get_submodule(name).weight)
        assert (weight == 0).float().mean() == pytest.approx(0.5, abs=1 / weight.numel())
    build_captioner(got)
