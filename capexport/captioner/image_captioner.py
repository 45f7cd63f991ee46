"""A captioner of region features and an image encoder -> a captioner of images."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from capexport.captioner.captioner import Captioner
from capexport.captioner.encoders.image_encoder import ImageEncoder
from capexport.errors import InputError, UnsupportedError
from capexport.spec.signature import (
    IMAGE,
    REGIONS,
    CaptionerSignature,
    Dimension,
    Shape,
    TensorSpec,
)


class ImageCaptionerEncoder(nn.Module):
    """image uint8 [1, height, width, 3] -> what the captioner's own encoder returns.

    It is given `att`, the features of the grid's cells; `fc`, their mean [1, channels]; `box`, the
    cells' corners. Which of them it takes is the captioner's signature.
    """

    box: Tensor

    def __init__(
        self, image_encoder: ImageEncoder, encoder: nn.Module, inputs: tuple[str, ...]
    ) -> None:
        super().__init__()
        self.image_encoder, self.encoder, self.inputs = image_encoder.module, encoder, inputs
        self.register_buffer("box", grid_boxes(*image_encoder.grid))

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        (att,) = self.image_encoder(image)
        given = {"att": att, "fc": att.mean(0, keepdim=True), "box": self.box}
        memory: tuple[Tensor, ...] = self.encoder(*[given[name] for name in self.inputs])
        return memory


def with_image_encoder(captioner: Captioner, image_encoder: ImageEncoder) -> Captioner:
    """The captioner with an encoder that takes an image.

    The encoder gives rows * columns regions, no more and no less: the axis becomes that number.

    Raises:
        InputError: the captioner was trained on features of another width, or has an image encoder.
        UnsupportedError: it takes something that a grid of cells does not give.
    """
    signature = captioner.signature
    rows, columns = image_encoder.grid
    given: dict[str, Shape] = {
        "att": (REGIONS, image_encoder.channels),
        "fc": (1, image_encoder.channels),
        "box": (REGIONS, 4),
    }
    for spec in signature.inputs:
        _check_input(spec, given, image_encoder.name)
    inputs = tuple(spec.name for spec in signature.inputs)
    return replace(
        captioner,
        encoder=ImageCaptionerEncoder(image_encoder, captioner.encoder, inputs).eval(),
        signature=_with_regions(
            replace(signature, inputs=(TensorSpec(IMAGE, image_encoder.image.shape, "uint8"),)),
            rows * columns,
        ),
        image=image_encoder.image,
    )


def grid_boxes(rows: int, columns: int) -> Tensor:
    """Corners x0, y0, x1, y1 of each cell in [0, 1], row by row: float32 [rows * columns, 4]."""
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    corners = torch.stack([x / columns, y / rows, (x + 1) / columns, (y + 1) / rows], -1)
    return corners.reshape(-1, 4)


def _check_input(spec: TensorSpec, given: dict[str, Shape], encoder: str) -> None:
    if spec.name == IMAGE:
        raise InputError(
            "the captioner has an image encoder already", where="--encoder", hint="leave it out"
        )
    if spec.name not in given:
        raise UnsupportedError(
            f"the captioner takes {spec.name!r}, which no image encoder gives",
            where=f"input {spec.name}",
            hint="export it without --encoder and give it features",
        )
    if spec.shape != given[spec.name]:
        raise InputError(
            f"the captioner takes features of {spec.shape[-1]} numbers, {encoder} gives "
            f"{given[spec.name][-1]}",
            where=f"--encoder, input {spec.name}",
            hint="give the encoder whose features the captioner was trained on",
        )


def _with_regions(signature: CaptionerSignature, regions: int) -> CaptionerSignature:
    """The signature with a number in place of the axis of regions."""

    def fixed(shape: Shape) -> tuple[Dimension, ...]:
        return tuple(regions if dimension == REGIONS else dimension for dimension in shape)

    return replace(
        signature,
        memory=tuple(replace(spec, shape=fixed(spec.shape)) for spec in signature.memory),
        states=tuple(replace(spec, shape=fixed(spec.shape)) for spec in signature.states),
    )
