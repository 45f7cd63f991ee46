"""uint8 image -> grid features: preprocessing, an architecture's layers, one row per cell."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from capexport.spec.image import ImageSpec


@dataclass(frozen=True)
class Preprocessing:
    """(x / 255 - mean) / std per channel, x in 0..255."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]


HALF = Preprocessing((0.5,) * 3, (0.5,) * 3)
"""To [-1, 1]: TensorFlow's Inception and MobileNets."""
IMAGENET = Preprocessing((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""torchvision's mean and standard deviation of the training set."""


class ImageToFeatures(nn.Module):
    """image uint8 [1, height, width, 3] -> features float32 [cells, channels], cells row by row.

    Args:
        body: [1, 3, height, width] -> [1, channels, rows, columns].
        preprocessing: becomes one product and one difference, with plain numbers where the three
            channels agree: then an int8 input can hold it exactly.
        channels: of the body's output, and of `places`.
        places: of `cell_places`, more channels behind the body's; None for no more.
    """

    scale: Tensor | float
    offset: Tensor | float
    places: Tensor | None

    def __init__(
        self,
        body: nn.Module,
        preprocessing: Preprocessing,
        channels: int,
        places: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.body, self.channels = body, channels
        self.register_buffer("places", places)
        mean, std = preprocessing.mean, preprocessing.std
        scale = [1 / (255 * s) for s in std]
        offset = [m / s for m, s in zip(mean, std, strict=True)]
        for name, values in (("scale", scale), ("offset", offset)):
            if len(set(values)) == 1:
                setattr(self, name, values[0])
            else:
                self.register_buffer(name, torch.tensor(values))

    def forward(self, image: Tensor) -> tuple[Tensor]:
        return (self.maps(image).reshape(-1, self.channels),)

    def maps(self, images: Tensor) -> Tensor:
        """uint8 [images, height, width, 3] -> float32 [images, rows, columns, channels]."""
        pixels = images.to(torch.float32) * self.scale - self.offset
        maps: Tensor = self.body(pixels.permute(0, 3, 1, 2))
        maps = maps.permute(0, 2, 3, 1)
        if self.places is None:
            return maps
        places = self.places if len(maps) == 1 else self.places.expand(len(maps), -1, -1, -1)
        return torch.cat([maps, places], -1)


def cell_places(rows: int, columns: int) -> Tensor:
    """Where each cell's centre lies, x and y in [-1, 1]: float32 [1, rows, columns, 2].

    Attention sees a set of cells: without this nothing but the border's padding tells left from
    right (Liu et al., 2018: CoordConv).
    """
    x, y = ((2 * torch.arange(n) + 1) / n - 1 for n in (columns, rows))
    return torch.stack([x.expand(rows, -1), y[:, None].expand(-1, columns)], -1)[None]


@dataclass(frozen=True, eq=False)
class ImageEncoder:
    """A trained image encoder in the form that is exported.

    Args:
        name: a key of ENCODERS.
        module: in eval mode, see ImageToFeatures.
        image: the input, and how a picture becomes it.
        grid: rows and columns of cells.
        channels: width of a cell's features.
        file, bytes_on_disk, sha256: of the weights.
    """

    name: str
    module: nn.Module
    image: ImageSpec
    grid: tuple[int, int]
    channels: int
    file: str
    bytes_on_disk: int
    sha256: str
