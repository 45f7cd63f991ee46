"""Checkpoints of the shared data with what their trainers' own code produced from them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from capexport.captioner import Captioner, build_captioner
from capexport.checkpoint import read_checkpoint
from capexport.runtime import Features, encoder_inputs, read_features

INPUTS = ("inputs_real.npz", "inputs_synth.npz")
IMAGE_CAPTIONING_PYTORCH = (
    "aoanet_small",
    "rl_updown_small",
    "rl_att2in2_small",
    "rl_newfc_small",
)
TRANSFORMERS = ("ort_small_s90", "acort_small_dense", "rl_transformer_small")
BEAMS = (1, 2, 3, 5)


class GoldenSet:
    """A captioner, its inputs, and what is expected of it.

    Args:
        data: the shared data.
        name: folder below its `golden`, which holds the checkpoint too.
    """

    def __init__(self, data: Path, name: str) -> None:
        self.path = data / "golden" / name
        self.captioner: Captioner = build_captioner(read_checkpoint(self.path))
        self.expected: dict[str, Any] = json.loads((self.path / "golden.json").read_text())[
            "images"
        ]
        self.arrays = np.load(self.path / "golden.npz")
        self.images: dict[str, Features] = {}
        for file in INPUTS:
            self.images |= read_features(data / "golden" / file)

    def tensors(self, image: str) -> list[torch.Tensor]:
        """The encoder's inputs in the order of the signature."""
        inputs = encoder_inputs(self.captioner.signature, self.images[image])
        return [torch.from_numpy(inputs[spec.name]) for spec in self.captioner.signature.inputs]

    def stable(self, beam: int) -> dict[str, Any]:
        """The entries that hardly any rounding changes, by image."""
        entries = self.expected.items()
        return {image: e["beam"][str(beam)] for image, e in entries if e["stable"][str(beam)]}
