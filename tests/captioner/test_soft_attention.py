"""Soft-Attention against its trainer's equations in numpy: no file of it could be obtained."""

from typing import Any

import numpy as np
import pytest
import torch
from random_checkpoints import FEATURES, random_checkpoint

from capexport.captioner import build_captioner
from capexport.captioner.search import greedy
from capexport.checkpoint import Checkpoint
from capexport.errors import UnsupportedError

TOLERANCE = 1e-5
"""nats; nine steps of float32 sums of up to 40 products, against float64."""
POOLED = 24
Array = np.ndarray


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


class Reference:
    """TensorFlow's cells, one image and one hypothesis; every kernel is input x output."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.w = {
            name.removeprefix("rnn_decoder/"): t.double().numpy()
            for name, t in checkpoint.tensors.items()
        }

    def greedy(self, att: Array, fc: Array, length: int) -> tuple[list[int], Array]:
        h = fc @ self.w["rnn_initial_state/kernel"]
        c, context = np.zeros_like(h), np.zeros(self.w["attention_v"].shape)
        keys = att @ self.w["memory_layer/kernel"]
        values = att @ self.w["value_layer/kernel"]
        ids, rows = [0], []
        while len(rows) < length and (len(ids) == 1 or ids[-1] != 0):
            x = np.concatenate([self.w["embedding_map"][ids[-1]], context])
            h, c = self.lstm(x, h, c) if "basic_lstm_cell/kernel" in self.w else self.gru(x, h)
            hidden = np.tanh(keys + h @ self.w["query_layer/kernel"])
            scores = np.exp((hidden * self.w["attention_v"]).sum(1))
            context = (scores / scores.sum()) @ values
            logits = h @ self.w["output_projection/kernel"] + self.w["output_projection/bias"]
            rows.append(logits - np.log(np.exp(logits).sum()))
            ids.append(int(rows[-1].argmax()))
        return ids[1:], np.stack(rows)

    def dense(self, name: str, x: Array) -> Array:
        y: Array = x @ self.w[f"{name}/kernel"] + self.w[f"{name}/bias"]
        return y

    def lstm(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        i, g, f, o = np.split(self.dense("basic_lstm_cell", np.concatenate([x, h])), 4)
        c = sigmoid(f + 1.0) * c + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c

    def gru(self, x: Array, h: Array) -> tuple[Array, Array]:
        r, u = np.split(sigmoid(self.dense("gru_cell/gates", np.concatenate([x, h]))), 2)
        candidate = np.tanh(self.dense("gru_cell/candidate", np.concatenate([x, r * h])))
        return u * h + (1 - u) * candidate, h


@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
@pytest.mark.parametrize(("seed", "regions"), [(0, 1), (1, 7), (2, 196), (3, 13)])
def test_captions_and_log_probabilities(cell: str, seed: int, regions: int) -> None:
    checkpoint = random_checkpoint("soft_attention", seed=seed, rnn_name=cell, fc_feat_size=POOLED)
    rng = np.random.default_rng(seed)
    att = rng.random((regions, FEATURES)).astype(np.float32)
    fc = rng.random(POOLED).astype(np.float32)
    expected_ids, expected = Reference(checkpoint).greedy(att, fc, checkpoint.decoding.max_length)
    captioner = build_captioner(checkpoint)
    ids, log_probs = greedy(captioner, torch.from_numpy(att), torch.from_numpy(fc[None]))
    assert ids == expected_ids
    np.testing.assert_allclose(log_probs.numpy(), expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize(
    "options",
    [{"rnn_name": "LN_LSTM"}, {"attn_num_heads": 8}, {"attn_alignment_method": "add_LN"}],
)
def test_options_of_other_networks_are_refused(options: dict[str, Any]) -> None:
    (key,) = options
    with pytest.raises(UnsupportedError, match=f"{key} is"):
        build_captioner(random_checkpoint("soft_attention", **options))
