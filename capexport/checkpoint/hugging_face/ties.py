"""Tensors that some versions of transformers save beside the ones that a captioner is made of."""

from collections.abc import Mapping

import torch
from torch import Tensor

COPIES: Mapping[str, Mapping[str, str]] = {
    "blip": {
        "text_decoder.cls.predictions.decoder.weight": (
            "text_decoder.bert.embeddings.word_embeddings.weight"
        ),
        "text_decoder.cls.predictions.decoder.bias": "text_decoder.cls.predictions.bias",
    },
    "vit_gpt2": {"decoder.lm_head.weight": "decoder.transformer.wte.weight"},
}
"""By architecture: a tied tensor, and the one that it repeats."""
UNUSED: Mapping[str, tuple[str, ...]] = {
    "vit_gpt2": ("encoder.pooler.dense.weight", "encoder.pooler.dense.bias"),
}
"""Parts that no caption depends on."""


def without_copies(tensors: Mapping[str, Tensor], architecture: str) -> dict[str, Tensor]:
    """The tensors that count. A copy that differs stays: quantization unties the two."""
    left_out = set(UNUSED.get(architecture, ()))
    for copy, original in COPIES.get(architecture, {}).items():
        if copy in tensors and original in tensors and _equal(tensors[copy], tensors[original]):
            left_out.add(copy)
    return {name: tensor for name, tensor in tensors.items() if name not in left_out}


def _equal(copy: Tensor, original: Tensor) -> bool:
    return copy.shape == original.shape and torch.equal(copy, original)
