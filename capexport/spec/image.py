"""How a host makes the encoder's image input from a picture, as data."""

from dataclasses import dataclass
from typing import Literal

Filter = Literal["bilinear-antialias-q22", "bicubic-antialias-q22"]
"""Resize rules: the integer filters of `capexport/runtime/resample.py`."""
BILINEAR: Filter = "bilinear-antialias-q22"
BICUBIC: Filter = "bicubic-antialias-q22"
FILTERS = (BILINEAR, BICUBIC)
CROP, STRETCH = "centre", "none"
"""Crop rules: equal margins, the odd pixel more on the right and at the bottom; or no crop."""


@dataclass(frozen=True)
class ImageSpec:
    """Size of the image input, and the picture it is cut from.

    A picture is resized until its shorter side is `short_side` (the other one in proportion,
    rounded down), then [height, width] is cut from its centre: uint8 RGB [1, height, width, 3].
    Without a `short_side` it is resized to [height, width], whatever its proportions.

    Args:
        height, width: pixels of the input.
        short_side: pixels; at least the larger of the two. None: the picture is stretched.
        filter: one of FILTERS.
    """

    height: int
    width: int
    short_side: int | None
    filter: Filter = BILINEAR

    def __post_init__(self) -> None:
        longest = max(self.height, self.width)
        if min(self.shape) < 1 or (self.short_side is not None and longest > self.short_side):
            raise ValueError(f"no window of a picture: {self}")

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape of the input tensor."""
        return (1, self.height, self.width, 3)
