"""MobileNet-V2 with an SSDLite head: an image into boxes, their scores, and a feature per cell."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from capexport.captioner.encoders.convolution import Layer, Take
from capexport.captioner.encoders.image_encoder import ImageToFeatures
from capexport.captioner.encoders.sources import Blueprint, StateDictionary
from capexport.captioner.encoders.table import ENCODERS
from capexport.checkpoint.image_encoder import read_encoder_file
from capexport.errors import CheckpointError
from capexport.spec.image import ImageSpec
from capexport.spec.signature import IMAGE, TensorSpec

BACKBONE = ENCODERS["mobilenet_v2"]
SIDES, ASPECTS = (0.2, 0.4, 0.8), (0.5, 1.0, 2.0)
ANCHORS = tuple((s * math.sqrt(a), s / math.sqrt(a)) for s in SIDES for a in ASPECTS)
"""Width and height, as shares of the image, of the boxes that each cell starts from."""
NUMBERS = 4
HEADS = {"boxes": NUMBERS * len(ANCHORS), "scores": len(ANCHORS)}
"""Output channels of both halves of the head."""
PICTURE = ImageSpec(224, 224, None)
"""The whole picture, stretched: what is cut away cannot be found."""


class RegionDetector(nn.Module):
    """image uint8 [1, height, width, 3] -> box [candidates, 4], score [candidates, 1], features.

    Candidates are cell by cell, row by row, ANCHORS within each. A box is x0, y0, x1, y1 as shares
    of the image and may reach beyond it; its score is from 0 to 1. Features are [cells, channels]:
    candidate i was found from, and is described by, those of cell i // len(ANCHORS).

    With t the four numbers of the head and (x, y) a cell of a grid of n cells, as in YOLOv5:
    centre = (x - 1/2 + 2 sigmoid(t[0])) / n, width = 4 sigmoid(t[2])^2 times the anchor's.
    That reaches the neighbours' centres and four times the anchor.

    Args:
        backbone: image to maps.
        heads: the two of HEADS, maps [1, channels, rows, columns] to as many numbers per cell.
        grid: rows and columns of the maps.
    """

    first: Tensor
    reach: Tensor
    anchors: Tensor

    def __init__(
        self, backbone: ImageToFeatures, heads: Mapping[str, nn.Module], grid: tuple[int, int]
    ) -> None:
        super().__init__()
        self.backbone, self.boxes, self.scores = backbone, heads["boxes"], heads["scores"]
        rows, columns = grid
        y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        first = torch.stack([(x - 0.5) / columns, (y - 0.5) / rows], -1).reshape(-1, 2)
        self.register_buffer("first", first.repeat_interleave(len(ANCHORS), 0))
        self.register_buffer("reach", torch.tensor([2 / columns, 2 / rows]))
        self.register_buffer("anchors", torch.tensor(ANCHORS).repeat(rows * columns, 1))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        maps = self.backbone.maps(image)
        channels_first = maps.permute(0, 3, 1, 2)
        numbers = torch.sigmoid(_candidates(self.boxes(channels_first), NUMBERS))
        place, size = numbers.chunk(2, -1)
        centre = self.first + place * self.reach
        half = size * size * self.anchors * 2.0
        box = torch.cat([centre - half, centre + half], -1)
        score = torch.sigmoid(_candidates(self.scores(channels_first), 1))
        return box, score, maps.reshape(-1, self.backbone.channels)


def _candidates(maps: Tensor, numbers: int) -> Tensor:
    """[1, anchors * numbers, rows, columns] -> [candidates, numbers]."""
    return maps.permute(0, 2, 3, 1).reshape(-1, numbers)


@dataclass(frozen=True, eq=False)
class TrainedDetector:
    """A detector in the form that is exported.

    Args:
        module: in eval mode.
        image: the input, and how a picture becomes it.
        outputs: of the graph.
        file, sha256: of the weights.
    """

    module: RegionDetector
    image: ImageSpec
    outputs: tuple[TensorSpec, ...]
    file: str
    sha256: str

    @property
    def input(self) -> TensorSpec:
        return TensorSpec(IMAGE, self.image.shape, "uint8")


def read_region_detector(path: Path, image: ImageSpec = PICTURE) -> TrainedDetector:
    """The detector in a state dictionary: torchvision's MobileNet-V2 and two heads.

    Raises:
        CheckpointError: damaged, or a key is missing, left over or of another shape.
    """
    file = read_encoder_file(path)
    if isinstance(file.weights, tuple):
        raise CheckpointError(
            "a region detector is a state dictionary", where=str(path), hint="give a .pth file"
        )
    _check_keys(file.weights, str(path))
    take = StateDictionary(file.weights, str(path), eps=BACKBONE.eps, same=False).take
    channels = BACKBONE.channels
    body = ImageToFeatures(BACKBONE.build(take), BACKBONE.preprocessing, channels)
    grid = _grid(body, image)
    cells = grid[0] * grid[1]
    candidates = cells * len(ANCHORS)
    return TrainedDetector(
        module=RegionDetector(body, _heads(take), grid).eval(),
        image=image,
        outputs=(
            TensorSpec("box", (candidates, NUMBERS)),
            TensorSpec("score", (candidates, 1)),
            TensorSpec("features", (cells, channels)),
        ),
        file=path.name,
        sha256=file.sha256,
    )


def detector_shapes() -> dict[str, tuple[int, ...]]:
    """Keys and shapes of the state dictionary."""
    blueprint = Blueprint()
    BACKBONE.build(blueprint.take)
    _heads(blueprint.take)
    return blueprint.shapes


def _heads(take: Take) -> dict[str, nn.Module]:
    """SSDLite (Sandler et al., CVPR 2018, section 6.2): a depthwise 3x3 and a 1x1 for each."""
    width = BACKBONE.channels
    return {
        name: nn.Sequential(
            take(Layer(f"{name}.0", width, width, None, 3, groups=width, activation="relu6")),
            take(Layer(f"{name}.1", width, outputs)),
        )
        for name, outputs in HEADS.items()
    }


def _check_keys(weights: Mapping[str, Tensor], where: str) -> None:
    strangers = sorted(set(weights) - set(detector_shapes()))
    surplus = [key for key in strangers if not key.startswith(BACKBONE.classifier)]
    if surplus:
        raise CheckpointError(
            f"{surplus[0]} is no weight of a region detector",
            where=where,
            hint="it has torchvision's mobilenet_v2 and boxes.0, boxes.1, scores.0, scores.1",
        )


@torch.no_grad()
def _grid(body: ImageToFeatures, image: ImageSpec) -> tuple[int, int]:
    _, rows, columns, _ = body.maps(torch.zeros(image.shape, dtype=torch.uint8)).shape
    return rows, columns
