"""A captioner and an image encoder put together."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from up_down_graphs import tiny_captioner

from capexport.captioner import with_image_encoder
from capexport.captioner.encoders import ImageEncoder
from capexport.captioner.image_captioner import grid_boxes
from capexport.captioner.search import beam_search, greedy
from capexport.errors import InputError, UnsupportedError
from capexport.spec.image import ImageSpec
from capexport.spec.signature import REGIONS, TensorSpec

ROWS, COLUMNS, WIDTH = 2, 3, 20
"""The tiny captioner takes features of 20 numbers."""


class Cells(nn.Module):
    """Features of made-up cells: the sum of each image row times fixed numbers."""

    def forward(self, image: Tensor) -> tuple[Tensor]:
        sums = image.to(torch.float32).mean((1, 2, 3)) / 255
        cells = torch.arange(float(ROWS * COLUMNS * WIDTH)).reshape(-1, WIDTH)
        return (torch.sin(cells) * sums,)


def image_encoder(width: int = WIDTH) -> ImageEncoder:
    spec = ImageSpec(4, 6, 8)
    return ImageEncoder("cells", Cells(), spec, (ROWS, COLUMNS), width, "cells.pth", 1, "ab")


def an_image() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (1, 4, 6, 3), dtype=torch.uint8, generator=generator)


def test_the_signature_takes_an_image_and_has_no_regions_left() -> None:
    captioner = with_image_encoder(tiny_captioner(), image_encoder())
    assert captioner.image == ImageSpec(4, 6, 8)
    assert captioner.signature.inputs == (TensorSpec("image", (1, 4, 6, 3), "uint8"),)
    specs = (*captioner.signature.encoder_outputs, *captioner.signature.step_inputs)
    assert not [spec for spec in specs if REGIONS in spec.shape]
    assert captioner.signature.memory[0].shape[0] == ROWS * COLUMNS


@torch.no_grad()
def test_captions_are_those_of_the_features() -> None:
    region_captioner = tiny_captioner()
    captioner = with_image_encoder(region_captioner, image_encoder())
    (att,) = Cells()(an_image())
    features = (att, att.mean(0, keepdim=True))
    for got, expected in zip(
        captioner.encoder(an_image()), region_captioner.encoder(*features), strict=True
    ):
        torch.testing.assert_close(got, expected)
    assert greedy(captioner, an_image())[0] == greedy(region_captioner, *features)[0]
    got, expected = (
        beam_search(c, 3, *inputs)
        for c, inputs in ((captioner, (an_image(),)), (region_captioner, features))
    )
    assert [one.tokens for one in got] == [one.tokens for one in expected]


class Boxes(nn.Module):
    """A captioner's encoder that returns its inputs, to see what they are."""

    def forward(self, box: Tensor, att: Tensor) -> tuple[Tensor, Tensor]:
        return box, att


@torch.no_grad()
def test_inputs_come_in_the_captioners_order_and_boxes_are_the_cells() -> None:
    captioner = tiny_captioner()
    inputs = (TensorSpec("box", (REGIONS, 4)), TensorSpec("att", (REGIONS, WIDTH)))
    with_boxes = replace(
        captioner, encoder=Boxes(), signature=replace(captioner.signature, inputs=inputs)
    )
    box, att = with_image_encoder(with_boxes, image_encoder()).encoder(an_image())
    torch.testing.assert_close(att, Cells()(an_image())[0])
    third = 1 / 3
    assert box[0].tolist() == pytest.approx([0, 0, third, 0.5])
    assert box[2].tolist() == pytest.approx([2 * third, 0, 1, 0.5])
    assert box[3].tolist() == pytest.approx([0, 0.5, third, 1])


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 5), (7, 7)])
def test_cells_tile_the_picture(rows: int, columns: int) -> None:
    x0, y0, x1, y1 = grid_boxes(rows, columns).T
    assert len(x0) == rows * columns
    torch.testing.assert_close(((x1 - x0) * (y1 - y0)).sum(), torch.tensor(1.0))
    assert min(x0.min(), y0.min()) == 0
    assert max(x1.max(), y1.max()) == 1


def test_another_width_is_refused() -> None:
    with pytest.raises(InputError, match="takes features of 20 numbers, cells gives 19"):
        with_image_encoder(tiny_captioner(), image_encoder(width=19))


def test_two_image_encoders_are_refused() -> None:
    once = with_image_encoder(tiny_captioner(), image_encoder())
    with pytest.raises(InputError, match="has an image encoder already"):
        with_image_encoder(once, image_encoder())


def test_an_input_that_no_grid_gives_is_refused() -> None:
    captioner = tiny_captioner()
    inputs = (*captioner.signature.inputs, TensorSpec("words", (1, 3)))
    strange = replace(captioner, signature=replace(captioner.signature, inputs=inputs))
    with pytest.raises(UnsupportedError, match="takes 'words'"):
        with_image_encoder(strange, image_encoder())
