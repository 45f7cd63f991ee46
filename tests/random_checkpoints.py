"""Small random checkpoints of every architecture, without any trainer's files."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from capexport.captioner import ARCHITECTURES
from capexport.checkpoint import Checkpoint
from capexport.spec.decoding import Decoding
from capexport.spec.vocabulary import Vocabulary

WORDS, FEATURES = 40, 20
DECODING = Decoding(bos=0, eos=0, pad=0, unk=WORDS - 1, max_length=9, beam=3, suppress_unk=True)
SIZES: Mapping[str, Any] = {
    "vocab_size": WORDS,
    "rnn_size": 16,
    "input_encoding_size": 12,
    "att_hid_size": 10,
    "att_feat_size": FEATURES,
    "fc_feat_size": FEATURES,
    "logit_layers": 1,
    "num_heads": 4,
    "num_layers": 1,
    "d_model": 16,
    "dim_feedforward": 24,
    "rnn_type": "lstm",
    "rnn_name": "LSTM",
    "rnn_word_size": 12,
    "attn_size": 10,
    "d_ff": 24,
    "num_att_heads": 4,
}
LOUDER = 6.0
"""Times the last layer: keeps the best word clear of the second, so that tokens can be compared."""


def random_checkpoint(
    architecture: str, *, sparsity: float = 0.0, seed: int = 0, **options: Any
) -> Checkpoint:
    """Weights of unit gain, `sparsity` of every matrix zero; `options` replace SIZES."""
    config = {**SIZES, **options}
    words = config["vocab_size"]
    checkpoint = Checkpoint(
        path=Path("random"),
        weights_file="none",
        lineage="random",
        architecture=architecture,
        config=config,
        tensors={},
        vocabulary=Vocabulary(tuple(f"w{i}" for i in range(words)), continuation="@@"),
        decoding=replace(DECODING, unk=words - 1),
        bytes_on_disk=0,
        sha256={},
        image_encoder="mobilenet_v2",
    )
    generator = torch.Generator().manual_seed(seed)
    shapes = ARCHITECTURES[architecture].expected_shapes(checkpoint)
    tensors = {name: _tensor(name, shape, sparsity, generator) for name, shape in shapes.items()}
    return replace(checkpoint, tensors=tensors)


def _tensor(
    name: str, shape: tuple[int, ...], sparsity: float, generator: torch.Generator
) -> Tensor:
    tensor = torch.randn(shape, generator=generator)
    if name.endswith("running_var"):
        return tensor.square() + 0.5
    if len(shape) == 2:
        kept = torch.rand(shape, generator=generator) >= sparsity
        tensor = tensor * kept * (shape[1] * (1 - sparsity)) ** -0.5
    return (
        tensor * LOUDER
        if name in ("logit.weight", "rnn_decoder/output_projection/kernel")
        else tensor
    )
