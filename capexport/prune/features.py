"""Captioned images -> what a captioner's encoder takes, computed once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from capexport.captioner import Captioner, ImageEncoder, read_image_encoder, with_image_encoder
from capexport.captioner.image_captioner import grid_boxes
from capexport.errors import InputError
from capexport.evaluate.datasets import CaptionedImage
from capexport.prune.int8_encoder import int8_encoder
from capexport.runtime import check_inputs, encoder_inputs, read_features, read_picture
from capexport.runtime.features import write_arrays


def encoder_features(
    images: Sequence[CaptionedImage],
    image_encoder: ImageEncoder,
    captioner: Captioner,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Tensor]:
    """Inputs of the captioner's encoder, from the pictures.

    Returns:
        By input name: att float16 [images, cells, channels], fc float32 [images, 1, channels], box
        [images, cells, 4], those that the captioner takes.

    Raises:
        InputError: a picture cannot be read, or the encoder's features do not fit the captioner.
    """
    with_image_encoder(captioner, image_encoder)  # raises where they do not fit
    rows = list(_grids(images, image_encoder, progress))
    att, box = torch.stack(rows), grid_boxes(*image_encoder.grid)
    given = {
        "att": att,
        "fc": att.float().mean(1, keepdim=True),
        "box": box.expand(len(rows), *box.shape),
    }
    return {spec.name: given[spec.name] for spec in captioner.signature.inputs}


def write_features(
    images: Sequence[CaptionedImage],
    encoder: str,
    out: Path,
    progress: Callable[[str], None] = lambda _: None,
    calibration: Path | None = None,
) -> tuple[int, int]:
    """Store what an image encoder makes of every picture: a features file for many runs.

    Args:
        encoder: weights of an image encoder, `PATH` or `NAME:PATH`.
        out: the .npz, float16; every image gets its grid's cells as regions, and as boxes.
        calibration: folder of pictures for the scales of int8 features; None for float ones.

    Returns:
        Regions of an image, and their width.

    Raises:
        InputError: a picture cannot be read.
        CheckpointError: the encoder cannot be read.
        CapexportError: of `int8_encoder`.
    """
    image_encoder = read_image_encoder(encoder)
    if calibration is not None:
        progress("finding the scales of int8")
        image_encoder = int8_encoder(image_encoder, calibration)
    box = grid_boxes(*image_encoder.grid).numpy()
    arrays: dict[str, NDArray[np.floating]] = {}
    for image, att in zip(images, _grids(images, image_encoder, progress), strict=True):
        arrays |= {f"{image.name}.att": att.numpy(), f"{image.name}.box": box}
    write_arrays(out, arrays)
    return int(att.shape[0]), int(att.shape[1])


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


def view_features(
    images: Sequence[CaptionedImage],
    path: Path,
    captioner: Captioner,
    inputs: Mapping[str, Tensor],
) -> dict[str, Tensor]:
    """Stored features that may stand in for `inputs`; InputError if not of as many regions."""
    view = stored_features(images, path, captioner)
    for name, values in inputs.items():
        if view[name].shape != values.shape:
            raise _unlike(f"{name} is {list(view[name].shape)}, not {list(values.shape)}", path)
    return view


def _grids(
    images: Sequence[CaptionedImage], encoder: ImageEncoder, progress: Callable[[str], None]
) -> Iterator[Tensor]:
    """float16 [cells, channels] of every picture."""
    for number, image in enumerate(images, 1):
        pixels = torch.from_numpy(read_picture(image.file, encoder.image).pixels)
        with torch.no_grad():
            yield encoder.module(pixels)[0].half()
        progress(f"{number} of {len(images)} pictures encoded")


def feature_widths(path: Path) -> tuple[int, int]:
    """Numbers of a region's and of the whole image's features, by the file's first entry."""
    first = next(iter(read_features(path).values()))
    return first.att.shape[-1], first.fc.shape[-1]


def _unlike(what: str, path: Path) -> InputError:
    return InputError(what, where=str(path), hint="extract the features of all images alike")
