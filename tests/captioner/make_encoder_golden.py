"""Features of torchvision's and timm's own encoders with made-up weights, as golden numbers.

`python tests/captioner/make_encoder_golden.py OUT.npz`, with tests/ and the repository on
PYTHONPATH. torchvision 0.28 and timm 1.0 are no dependencies of the project: the file that this
wrote is beside it.
"""

import sys

import numpy as np
import timm
import torch
from encoder_golden import CHANNEL_STEP, SIZES, random_image
from encoder_weights import random_state
from torch import nn
from torchvision import models

from capexport.captioner.encoders import expected_shapes

IMAGENET = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])[:, :, None, None]
HALF = torch.full((2, 3, 1, 1), 0.5)


def original(name: str) -> nn.Module:
    if "lite" in name:
        return timm.create_model(name)
    options = {"aux_logits": False, "init_weights": False} if name == "googlenet" else {}
    return getattr(models, name)(**options)


def body(name: str, model: nn.Module) -> nn.Module:
    """The layers before the global average pool, which all of these have."""
    if "lite" in name:
        model.forward = model.forward_features
        return model
    layers = []
    for child_name, child in model.named_children():
        if child_name == "avgpool":
            break
        layers.append(child)
    return nn.Sequential(*layers[:1]) if name.startswith("mobilenet") else nn.Sequential(*layers)


@torch.no_grad()
def golden(name: str, size: int) -> np.ndarray:
    model = original(name).eval()
    loaded = model.load_state_dict(random_state(expected_shapes(name)), strict=False)
    assert not loaded.unexpected_keys
    assert all(
        key.startswith(("classifier", "fc.")) for key in loaded.missing_keys if "num_" not in key
    )
    mean, std = HALF if name in ("googlenet", "tf_efficientnet_lite0") else IMAGENET
    image = torch.from_numpy(random_image(size)).permute(0, 3, 1, 2).float() / 255
    maps = body(name, model)((image - mean) / std)
    return maps[0, ::CHANNEL_STEP].flatten(1).T.numpy()


np.savez_compressed(
    sys.argv[1], **{f"{n}.{s}": golden(n, s) for n, sizes in SIZES.items() for s in sizes}
)
