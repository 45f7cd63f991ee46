"""A bundle's signature -> an input for its encoder where the user gives none."""

import numpy as np

from capexport.bundle import Bundle
from capexport.runtime import Features, Given, Picture

REGIONS = 36
"""Of an image in the bottom-up features of Anderson et al. 2018 in their fixed form."""
FEATURES_NAME, PICTURE_NAME = "random features, 36 regions", "random pixels"


def made_up(bundle: Bundle) -> tuple[str, Given]:
    """What it is called in a report, and random features or pixels that are always the same.

    Time hardly depends on what is seen, but the number of words does.
    """
    rng = np.random.default_rng(0)
    if bundle.manifest.image is not None:
        pixels = rng.integers(0, 256, bundle.manifest.image.shape).astype(np.uint8)
        return PICTURE_NAME, Picture(pixels)
    widths = {spec.name: spec.shape[-1] for spec in bundle.manifest.signature.inputs}
    att = rng.random((REGIONS, int(widths.get("att", 1))), np.float32)
    fc = rng.random(int(widths["fc"]), np.float32) if "fc" in widths else att.mean(axis=0)
    corners = np.sort(rng.random((REGIONS, 2, 2), np.float32), axis=1)
    return FEATURES_NAME, Features(att, fc, corners.reshape(REGIONS, 4))
