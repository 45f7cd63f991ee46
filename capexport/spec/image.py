"""How a host makes the encoder's image input from a picture, as data."""

from dataclasses import dataclass

RESIZE = "bilinear-antialias-q22"
"""The only resize rule so far: the integer triangle filter of `capexport/runtime/resample.py`."""
CROP = "centre"
"""The only crop rule so far: equal margins, the odd pixel more on the right and at the bottom."""


@dataclass(frozen=True)
class ImageSpec:
    """Size of the image input, and the picture it is cut from.

    A picture is resized until its shorter side is `short_side` (the other one in proportion,
    rounded down), then [height, width] is cut from its centre: uint8 RGB [1, height, width, 3].

    Args:
        height, width: pixels of the input.
        short_side: pixels; at least the larger of the two.
    """

    height: int
    width: int
    short_side: int

    def __post_init__(self) -> None:
        if not 0 < max(self.height, self.width) <= self.short_side or min(*self.shape) < 1:
            raise ValueError(f"no window of a picture: {self}")

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape of the input tensor."""
        return (1, self.height, self.width, 3)
