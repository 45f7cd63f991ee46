"""Captioned images -> what a captioner's encoder takes, computed once."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from capexport.captioner import Captioner
from capexport.captioner.encoders import read_image_encoder
from capexport.captioner.image_captioner import grid_boxes
from capexport.errors import InputError
from capexport.evaluate.datasets import CaptionedImage
from capexport.runtime import read_features, read_picture


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
        By input name: att float16 [images, cells, channels], fc [images, 1, channels], box
        [images, cells, 4], those that the captioner takes.

    Raises:
        InputError: a picture cannot be read.
        CheckpointError: the encoder cannot be read.
    """
    image_encoder = read_image_encoder(encoder)
    rows = []
    with torch.no_grad():
        for number, image in enumerate(images, 1):
            pixels = torch.from_numpy(read_picture(image.file, image_encoder.image).pixels)
            rows.append(image_encoder.module(pixels)[0].half())
            progress(f"{number} of {len(images)} pictures encoded")
    box = grid_boxes(*image_encoder.grid)
    return _inputs(captioner, torch.stack(rows), box.expand(len(rows), *box.shape))


def stored_features(
    images: Sequence[CaptionedImage], path: Path, captioner: Captioner
) -> dict[str, Tensor]:
    """The same from a features file with an entry for every image, all of as many regions.

    Raises:
        InputError: an image is missing, or has another number of regions than the first.
    """
    stored = read_features(path)
    found = []
    for image in images:
        names = [name for name in (image.name, Path(image.name).stem) if name in stored]
        if not names:
            raise _missing(f"there are no features of {image.name}", path)
        found.append(stored[names[0]])
    if len({one.att.shape for one in found}) != 1:
        raise _missing("images have different numbers of regions", path)
    boxes = [one.box for one in found if one.box is not None]
    if "box" in _names(captioner) and len(boxes) != len(found):
        raise _missing("the captioner needs boxes, and not every image has them", path)
    att = torch.stack([torch.from_numpy(one.att) for one in found])
    box = torch.stack([torch.from_numpy(one) for one in boxes]) if boxes else att[..., :0]
    return _inputs(captioner, att, box)


def _inputs(captioner: Captioner, att: Tensor, box: Tensor) -> dict[str, Tensor]:
    fc = att.float().mean(1, keepdim=True)
    given = {"att": att, "fc": fc, "box": box}
    return {name: given[name] for name in _names(captioner)}


def _names(captioner: Captioner) -> list[str]:
    return [spec.name for spec in captioner.signature.inputs]


def _missing(what: str, path: Path) -> InputError:
    return InputError(what, where=str(path), hint="extract the features of all images alike")
