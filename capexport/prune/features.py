"""Captioned images -> what a captioner's encoder takes, computed once."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from capexport.captioner import Captioner, read_image_encoder, with_image_encoder
from capexport.captioner.image_captioner import grid_boxes
from capexport.errors import InputError
from capexport.evaluate.datasets import CaptionedImage
from capexport.runtime import check_inputs, encoder_inputs, read_features, read_picture


def encoder_features(
    images: Sequence[CaptionedImage],
    encoder: str,
    captioner: Captioner,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Tensor]:
    """Inputs of the captioner's encoder, from the pictures.

    Args:
        encoder: weights of an image encoder, `PATH` or `NAME:PATH`.

    Returns:
        By input name: att float16 [images, cells, channels], fc float32 [images, 1, channels], box
        [images, cells, 4], those that the captioner takes.

    Raises:
        InputError: a picture cannot be read, or the encoder's features do not fit the captioner.
        CheckpointError: the encoder cannot be read.
    """
    image_encoder = read_image_encoder(encoder)
    with_image_encoder(captioner, image_encoder)  # raises where they do not fit
    rows = []
    with torch.no_grad():
        for number, image in enumerate(images, 1):
            pixels = torch.from_numpy(read_picture(image.file, image_encoder.image).pixels)
            rows.append(image_encoder.module(pixels)[0].half())
            progress(f"{number} of {len(images)} pictures encoded")
    att, box = torch.stack(rows), grid_boxes(*image_encoder.grid)
    given = {
        "att": att,
        "fc": att.float().mean(1, keepdim=True),
        "box": box.expand(len(rows), *box.shape),
    }
    return {spec.name: given[spec.name] for spec in captioner.signature.inputs}


def stored_features(
    images: Sequence[CaptionedImage], path: Path, captioner: Captioner
) -> dict[str, Tensor]:
    """The same from a features file with an entry for every image, all of as many regions.

    Raises:
        InputError: an image is missing, does not fit the captioner, or has another number of
            regions than the first.
    """
    stored, specs = read_features(path), captioner.signature.inputs
    rows = []
    for image in images:
        names = [name for name in (image.name, Path(image.name).stem) if name in stored]
        if not names:
            raise _unlike(f"there are no features of {image.name}", path)
        arrays = encoder_inputs(captioner.signature, stored[names[0]])
        check_inputs(specs, arrays)
        rows.append(arrays)
    for spec in specs:
        if len({row[spec.name].shape for row in rows}) != 1:
            raise _unlike("images have different numbers of regions", path)
    return {
        spec.name: torch.from_numpy(np.stack([row[spec.name] for row in rows])) for spec in specs
    }


def _unlike(what: str, path: Path) -> InputError:
    return InputError(what, where=str(path), hint="extract the features of all images alike")
