"""Beam search over a numpy Up-Down gives the captions that the trainer's own code gave."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from capexport.runtime import Features, beam_search, read_features
from capexport.spec.decoding import Decoding

Array = NDArray[Any]
MODEL = "updown_small_s90"
STATES = ("h_att", "h_lang", "c_att", "c_lang")

SUM_TOLERANCE = 1e-4
"""Nats between two float32 implementations, summed over a caption; token margins are larger."""


class UpDown:
    """The trainer's equations, one image at a time, without any of its code."""

    def __init__(self, weights: Mapping[str, Array], features: Features) -> None:
        self.w = weights
        self.fc = np.maximum(self.linear("fc_embed.0", features.fc), 0)
        self.values = np.maximum(self.linear("att_embed.0", features.att), 0)
        self.keys = self.linear("ctx2att", self.values)

    def linear(self, name: str, x: Array) -> Array:
        y: Array = x @ self.w[name + ".weight"].T + self.w[name + ".bias"]
        return y

    def lstm(self, name: str, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        gates = x @ self.w[name + ".weight_ih"].T + self.w[name + ".bias_ih"]
        gates = gates + h @ self.w[name + ".weight_hh"].T + self.w[name + ".bias_hh"]
        i, f, g, o = np.split(gates, 4, axis=-1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c

    def step(self, token: Array, states: Mapping[str, Array]) -> tuple[Array, dict[str, Array]]:
        h_att, h_lang, c_att, c_lang = (states[name] for name in STATES)
        word = np.maximum(self.w["embed.0.weight"][token], 0)
        fc = np.broadcast_to(self.fc, (len(token), len(self.fc)))
        x = np.concatenate([h_lang, fc, word], -1)
        h_att, c_att = self.lstm("core.att_lstm", x, h_att, c_att)
        hidden = np.tanh(self.keys + self.linear("core.attention.h2att", h_att)[:, np.newaxis])
        scores = np.exp(log_softmax(self.linear("core.attention.alpha_net", hidden)[..., 0]))
        x = np.concatenate([scores @ self.values, h_att], -1)
        h_lang, c_lang = self.lstm("core.lang_lstm", x, h_lang, c_lang)
        following = dict(zip(STATES, (h_att, h_lang, c_att, c_lang), strict=True))
        return log_softmax(self.linear("logit", h_lang)), following


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def log_softmax(x: Array) -> Array:
    x = x - x.max(-1, keepdims=True)
    y: Array = x - np.log(np.exp(x).sum(-1, keepdims=True))
    return y


@pytest.fixture(scope="module")
def weights(shared_data: Path) -> dict[str, Array]:
    path = shared_data / "golden" / MODEL / "model_best_pruned.pth"
    tensors = torch.load(path, map_location="cpu", weights_only=True)
    return {name: tensor.float().numpy() for name, tensor in tensors.items()}


@pytest.fixture(scope="module")
def decoding(shared_data: Path) -> Decoding:
    config = json.loads((shared_data / "golden" / MODEL / "config.json").read_text())
    ids = {name: config[f"{name}_token_id"] for name in ("bos", "eos", "pad", "unk")}
    return Decoding(**ids, max_length=config["max_seq_length"], beam=config["beam_size_test"])


@pytest.fixture(scope="module")
def golden(shared_data: Path) -> dict[str, Any]:
    path = shared_data / "golden" / MODEL / "golden.json"
    images: dict[str, Any] = json.loads(path.read_text())["images"]
    return images


@pytest.fixture(scope="module")
def images(shared_data: Path) -> dict[str, Features]:
    files = ("inputs_real.npz", "inputs_synth.npz")
    parts = [read_features(shared_data / "golden" / name) for name in files]
    return {name: features for part in parts for name, features in part.items()}


@pytest.mark.parametrize("beam", [1, 2, 3, 5])
def test_stable_entries_are_reproduced(
    beam: int,
    weights: dict[str, Array],
    decoding: Decoding,
    golden: dict[str, Any],
    images: dict[str, Features],
) -> None:
    compared = 0
    for name, entry in golden.items():
        if not entry["stable"][str(beam)]:
            continue
        zeros = np.zeros((beam, weights["core.att_lstm.weight_hh"].shape[1]), np.float32)
        model = UpDown(weights, images[name])
        found = beam_search(model.step, dict.fromkeys(STATES, zeros), decoding, beam)
        expected = entry["beam"][str(beam)]
        assert list(found[0].tokens) == expected["ids"][0]
        given = [one.log_prob for one in found]
        assert given == pytest.approx(expected["sum_logp"], abs=SUM_TOLERANCE)
        compared += 1
    assert compared >= 10
