"""A captioner that looks its log-probabilities up: no runtime, every kind of state.

The row of the table follows from the token and all states, so that a state that is gathered,
appended or counted wrongly leads to other words. TableGraph.java computes the same.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from placeholder_bundle import manifest

from capexport.bundle import Bundle, create_bundle
from capexport.runtime.graph_runner import Array
from capexport.spec.decoding import Decoding
from capexport.spec.signature import (
    APPENDED,
    BEAMS,
    COUNTED,
    REGIONS,
    CaptionerSignature,
    StateSpec,
    TensorSpec,
)
from capexport.spec.vocabulary import Vocabulary

ROWS, WORDS, MOST_STEPS = 97, 23, 8
SIGNATURE = CaptionerSignature(
    inputs=(TensorSpec("att", (REGIONS, 2)),),
    memory=(TensorSpec("memory", (REGIONS, 2)),),
    states=(
        StateSpec("h", (BEAMS, 1), "int32", "h_start"),
        StateSpec("cache", (BEAMS, 2 * MOST_STEPS, 1), "int32", None, APPENDED, 2),
        StateSpec("count", (BEAMS,), "int32", None, COUNTED),
    ),
    vocabulary_size=WORDS,
)


def table(seed: int, eos: int) -> Array:
    """Log-probabilities float32 [ROWS, WORDS], many of them equal, the end not too rare."""
    random = np.random.default_rng(seed)
    logits = random.integers(-6, 7, (ROWS, WORDS)).astype(np.float32) / 2
    logits[:, eos] += 1
    total = np.log(np.exp(logits).sum(1, keepdims=True))
    return (logits - total).astype(np.float32)


class Encoder:
    """att float32 [regions, 2] -> the memory itself, and h's start: its first number."""

    input_names = frozenset({"att"})
    output_names = frozenset({"memory", "h_start"})

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        att = inputs["att"]
        return {"memory": att, "h_start": att[:1, :1].astype(np.int32)}


class Decoder:
    """The row is (31 h + 7 token + 13 count + regions + sum of (j + 1) cache[j]) mod ROWS."""

    input_names = frozenset({"token", "h", "cache", "count", "memory"})
    output_names = frozenset({"log_probs", "h_next", "cache_next"})

    def __init__(self, log_probs: Array) -> None:
        self._log_probs = log_probs

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        cached = (inputs["cache"][:, :, 0] * np.arange(1, 2 * MOST_STEPS + 1)).sum(1)
        rows = 31 * inputs["h"][:, 0] + 7 * inputs["token"] + 13 * inputs["count"] + cached
        rows = ((rows + len(inputs["memory"])) % len(self._log_probs)).astype(np.int32)
        following = np.stack([rows, rows + 1], axis=1)[:, :, np.newaxis]
        return {
            "log_probs": self._log_probs[rows],
            "h_next": rows[:, np.newaxis],
            "cache_next": following,
        }


def write_bundle(path: Path, decoding: Decoding) -> Bundle:
    """Its bundle; the graph files hold nothing that a runtime would open."""
    changed = replace(
        manifest(("onnxruntime",)),
        signature=SIGNATURE,
        decoding=decoding,
        vocabulary=Vocabulary(("", "<unk>", "", "", *(f"▁w{i}" for i in range(4, WORDS)))),
    )
    graphs = {"encoder.onnx": b"e", "decoder_step.onnx": b"d"}
    return create_bundle(path, changed, graphs, force=False)
