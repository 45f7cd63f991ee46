"""preprocessor_config.json into the host's resizing rule and the pixels' normalisation."""

from collections.abc import Mapping
from typing import Any

from capexport.checkpoint.hugging_face.config import read_json
from capexport.checkpoint.normalisation import Colour, Normalisation
from capexport.checkpoint.source import Source
from capexport.errors import CheckpointError, UnsupportedError
from capexport.spec.image import BICUBIC, BILINEAR, ImageSpec

FILES = ("preprocessor_config.json", "processor_config.json")
MOST_SIDE = 2**16
LEAST_STD, MOST = 1e-3, 1e6
RESAMPLE = {2: BILINEAR, 3: BICUBIC}
"""Pillow's numbers of the filters."""


def read_preprocessing(source: Source, side: int) -> tuple[ImageSpec, Normalisation]:
    """How a picture becomes `side` x `side` pixels, and what the model computes of them first.

    Raises:
        CheckpointError: the file is missing or damaged, or gives another size than config.json.
        UnsupportedError: a step that is not reproduced.
    """
    name = next((name for name in FILES if source.size(name) is not None), FILES[0])
    where = source.where(name)
    rule = read_json(source.read(name), where)
    rule = rule.get("image_processor", rule)
    if not isinstance(rule, dict):
        raise _wrong("image_processor", rule, "an object", where)
    if rule.get("do_resize", True) is not True:
        raise UnsupportedError("the pictures are not resized", where=where, hint="set do_resize")
    resample = rule.get("resample", 3)
    if type(resample) is not int or resample not in RESAMPLE:
        raise UnsupportedError(
            f"pictures are resized by filter {str(resample)[:40]}",
            where=where,
            hint="supported: 2 (bilinear), 3 (bicubic)",
        )
    short_side = _short_side(rule, side, where)
    return ImageSpec(side, side, short_side, RESAMPLE[resample]), _normalisation(rule, where)


def _short_side(rule: Mapping[str, Any], side: int, where: str) -> int | None:
    """Pixels of the shorter side before the crop, None where the picture is stretched."""
    size = rule.get("size", side)
    crop = rule.get("crop_size", side) if rule.get("do_center_crop") else None
    if crop is not None and _both(crop) != (side, side):
        raise _wrong("crop_size", crop, f"{side} x {side}, as in config.json", where)
    short = size.get("shortest_edge") if isinstance(size, dict) else size if crop else None
    if short is None:
        if _both(size) != (side, side):
            raise _wrong("size", size, f"{side} x {side}, as in config.json", where)
        return None
    if crop is None or type(short) is not int or not side <= short <= MOST_SIDE:
        raise _wrong("size", size, f"{side} x {side}, or a shortest edge and a crop", where)
    return short


def _both(size: object) -> object:
    return (size.get("height"), size.get("width")) if isinstance(size, dict) else (size, size)


def _normalisation(rule: Mapping[str, Any], where: str) -> Normalisation:
    scale = rule.get("rescale_factor", 1 / 255) if rule.get("do_rescale", True) else 1.0
    if not _is_number(scale) or not 0 < scale <= 1:
        raise _wrong("rescale_factor", scale, "between 0 and 1", where)
    if not rule.get("do_normalize", True):
        return Normalisation(float(scale), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    mean, std = (_colour(rule, f"image_{name}", where) for name in ("mean", "std"))
    if min(std) < LEAST_STD:
        raise _wrong("image_std", std, f"at least {LEAST_STD}", where)
    return Normalisation(float(scale), mean, std)


def _colour(rule: Mapping[str, Any], key: str, where: str) -> Colour:
    value = rule.get(key)
    if isinstance(value, list) and len(value) == 3 and all(_is_number(number) for number in value):
        red, green, blue = (float(number) for number in value)
        return red, green, blue
    raise _wrong(key, value, "three numbers", where)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < MOST


def _wrong(key: str, value: object, wanted: str, where: str) -> CheckpointError:
    return CheckpointError(
        f"{key} is {str(value)[:60]}, it should be {wanted}",
        where=where,
        hint="use the preprocessor_config.json of this model",
    )
