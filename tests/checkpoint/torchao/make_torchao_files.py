"""Made the files beside it with torchao 0.18.0, which nothing else here needs.

Where torchao is: `PYTHONPATH=tests python tests/checkpoint/torchao/make_torchao_files.py`.
"""

from itertools import cycle
from pathlib import Path

import numpy as np
import torch
from random_checkpoints import random_checkpoint
from torch import nn
from torchao.quantization import (
    Float8WeightOnlyConfig,
    Int4Tensor,
    Int8DynamicActivationInt8WeightConfig,
    Int8Tensor,
    Int8WeightOnlyConfig,
    PerGroup,
    PerTensor,
    quantize_,
)

HERE = Path(__file__).parent
READ = (
    Int8WeightOnlyConfig(),
    Int8WeightOnlyConfig(granularity=PerTensor()),
    Int8DynamicActivationInt8WeightConfig(),
)


def quantized(weight: torch.Tensor, config: object) -> torch.Tensor:
    layer = nn.Linear(*reversed(weight.shape), bias=False)
    layer.weight = nn.Parameter(weight.clone(), requires_grad=False)
    quantize_(nn.Sequential(layer), config)
    return layer.weight.data


def captioner() -> None:
    state, parts = dict(random_checkpoint("newfc", sparsity=0.5).tensors), {}
    configs = cycle(READ)
    for name, tensor in state.items():
        if tensor.ndim == 2 and name != "embed.weight":
            weight = state[name] = quantized(tensor, next(configs))
            assert isinstance(weight, Int8Tensor)
            parts[f"{name}.qdata"], parts[f"{name}.scale"] = weight.qdata, weight.scale
            parts[f"{name}.weight"] = weight.dequantize()
    torch.save(state, HERE / "newfc_int8.pth")
    np.savez_compressed(HERE / "newfc_int8.npz", **{k: v.numpy() for k, v in parts.items()})


def others() -> None:
    weight = torch.randn(4, 32, generator=torch.Generator().manual_seed(0))
    kinds = {
        "groups": quantized(weight, Int8WeightOnlyConfig(granularity=PerGroup(8))),
        "float8": quantized(weight, Float8WeightOnlyConfig()),
        # quantize_ packs int4 on a GPU only; the class can be filled without one
        "int4": Int4Tensor(
            torch.zeros(4, 16, dtype=torch.int8), torch.ones(1, 4), torch.zeros(1, 4), [1, 32],
            torch.Size([4, 32]),
        ),
    }  # fmt: skip
    for name, tensor in kinds.items():
        torch.save({"logit.weight": tensor}, HERE / f"{name}.pth")


captioner()
others()
