"""Which encoders have golden features, at which sizes, of which image."""

import numpy as np

SIZES = {
    "mobilenet_v2": (65, 96),
    "mobilenet_v3_small": (65, 96),
    "mobilenet_v3_large": (65,),
    "googlenet": (65, 96),
    "resnet50": (65,),
    "resnet101": (64,),
    "efficientnet_lite0": (65,),
    "tf_efficientnet_lite0": (65, 96),
}
"""Odd and even: TensorFlow's padding differs between them."""
CHANNEL_STEP = 37
"""Every how many channels one is kept, to keep the file small."""


def random_image(size: int) -> np.ndarray:
    """uint8 [1, size, size, 3]; the numbers of RandomState never change."""
    return np.random.RandomState(size).randint(0, 256, (1, size, size, 3)).astype(np.uint8)
