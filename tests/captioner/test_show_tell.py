"""show_tell against the trainer's equations in numpy: no file of that model could be obtained."""

import numpy as np
import pytest
import torch
from random_checkpoints import FEATURES, random_checkpoint

from capexport.captioner import build_captioner
from capexport.captioner.search import greedy
from capexport.checkpoint import Checkpoint
from capexport.errors import UnsupportedError

TOLERANCE = 1e-5
"""nats; nine steps of float32 sums of up to 20 products, against float64."""


class Reference:
    """nn.LSTM without bias: the image is the first input, word 0 the second."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.w = {name: t.double().numpy() for name, t in checkpoint.tensors.items()}
        self.layers = checkpoint.config["num_layers"]
        self.states = [(np.zeros(16), np.zeros(16)) for _ in range(self.layers)]

    def cell(self, x: np.ndarray) -> np.ndarray:
        for layer, (h, c) in enumerate(self.states):
            gates = self.w[f"core.weight_ih_l{layer}"] @ x + self.w[f"core.weight_hh_l{layer}"] @ h
            i, f, g, o = np.split(gates, 4)
            c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
            x = np.tanh(c) / (1 + np.exp(-o))
            self.states[layer] = (x, c)
        return x

    def greedy(self, fc: np.ndarray, length: int) -> tuple[list[int], np.ndarray]:
        self.cell(self.w["img_embed.weight"] @ fc + self.w["img_embed.bias"])
        ids, rows = [0], []
        while len(rows) < length and (len(ids) == 1 or ids[-1] != 0):
            logits = self.w["logit.weight"] @ self.cell(self.w["embed.weight"][ids[-1]])
            logits += self.w["logit.bias"]
            rows.append(logits - np.log(np.exp(logits).sum()))
            ids.append(int(rows[-1].argmax()))
        return ids[1:], np.stack(rows)


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("seed", range(4))
def test_captions_and_log_probabilities(layers: int, seed: int) -> None:
    checkpoint = random_checkpoint("show_tell", seed=seed, num_layers=layers)
    fc = np.random.default_rng(seed).random(FEATURES).astype(np.float32)
    expected_ids, expected = Reference(checkpoint).greedy(fc, checkpoint.decoding.max_length)
    ids, log_probs = greedy(build_captioner(checkpoint), torch.from_numpy(fc[None]))
    assert ids == expected_ids
    np.testing.assert_allclose(log_probs.numpy(), expected, rtol=0, atol=TOLERANCE)


def test_another_cell_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="rnn_type is 'gru'"):
        build_captioner(random_checkpoint("show_tell", rnn_type="gru"))
