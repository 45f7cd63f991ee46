"""A tiny random Up-Down captioner and its graphs, for tests of stages after capture."""

from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from capexport.captioner import Captioner
from capexport.captioner.decoders.up_down import expected_shapes, up_down
from capexport.capture import capture_graphs
from capexport.ir.graph import Graph
from capexport.spec.decoding import Decoding
from capexport.spec.vocabulary import Vocabulary

SIZES = {
    "rnn_size": 24,
    "input_encoding_size": 16,
    "att_hid_size": 12,
    "fc_feat_size": 20,
    "att_feat_size": 20,
    "vocab_size": 50,
    "logit_layers": 1,
}


@cache
def tiny_captioner(sparsity: float = 0.9) -> Captioner:
    """Random weights, seed 0, `sparsity` of every matrix zero."""
    generator = torch.Generator().manual_seed(0)
    tensors = {}
    for name, shape in expected_shapes(SimpleNamespace(config=SIZES)).items():
        tensor = torch.randn(shape, generator=generator)
        if len(shape) == 2:
            tensor *= torch.rand(shape, generator=generator) >= sparsity
        tensors[name] = tensor
    checkpoint: Any = SimpleNamespace(config=SIZES, tensors=tensors)
    encoder, step, signature = up_down(checkpoint)
    return Captioner(
        encoder=encoder.eval(),
        decoder_step=step.eval(),
        signature=signature,
        vocabulary=Vocabulary(tuple(f"w{i}" for i in range(SIZES["vocab_size"]))),
        decoding=Decoding(bos=2, eos=3, pad=0, unk=1, max_length=9, beam=2),
        architecture="up_down_lstm",
    )


@cache
def tiny_graphs(sparsity: float = 0.9) -> tuple[Graph, Graph]:
    """Float graphs of the encoder and the decoder step."""
    return capture_graphs(tiny_captioner(sparsity))


def random_inputs(graph: Graph, beams: int, regions: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Inputs of either graph; tokens are below the vocabulary size."""
    rng = np.random.default_rng(seed)
    lengths = {"beams": beams, "regions": regions}
    inputs = {}
    for name in graph.inputs:
        spec = graph.values[name]
        shape = [lengths[d] if isinstance(d, str) else d for d in spec.shape]
        if spec.dtype == "int32":
            inputs[name] = rng.integers(0, SIZES["vocab_size"], shape).astype(np.int32)
        else:
            inputs[name] = rng.normal(0, 0.5, shape).astype(np.float32)
    return inputs
