"""Random weights of image encoders: the same numbers on every machine."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor


def random_state(shapes: Mapping[str, tuple[int, ...]], seed: int = 0) -> dict[str, Tensor]:
    """A state dictionary of the given keys and shapes whose activations stay near 1.

    numpy promises that the numbers of RandomState never change; Generator's and torch's may.
    """
    random = np.random.RandomState(seed)
    return {key: torch.from_numpy(_values(random, key, shapes[key])) for key in sorted(shapes)}


def _values(random: np.random.RandomState, key: str, shape: tuple[int, ...]) -> np.ndarray:
    normal = random.standard_normal(shape)
    if len(shape) == 4:
        values = normal * np.sqrt(2 / np.prod(shape[1:]))
    elif key.endswith("running_var"):
        values = 0.5 + np.abs(normal)
    elif key.endswith("weight"):  # of a batch norm
        values = 0.7 + 0.2 * normal
    else:
        values = 0.2 * normal
    return values.astype(np.float32)
