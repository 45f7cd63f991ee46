"""A features file (.npz) -> checked region features by image name."""

import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from capexport.errors import InputError
from capexport.outputs import whole_file
from capexport.runtime.graph_runner import Array

PARTS = ("att", "fc", "box")
BOX_WIDTH = 4
UNREADABLE = (
    ValueError,
    OSError,
    EOFError,
    OverflowError,
    RuntimeError,
    SyntaxError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What numpy raises on a damaged .npz; it reads the header of an array as Python source."""


@dataclass(frozen=True, eq=False)
class Features:
    """Bottom-up features of one image, all float32 and finite.

    Args:
        att: one row per region, [regions, dim], at least one region.
        fc: the whole image, [dim of its own].
        box: relative x0, y0, x1, y1 in [0, 1], [regions, 4], or None.
    """

    att: Array
    fc: Array
    box: Array | None = None


def read_features(path: Path) -> dict[str, Features]:
    """Features by image name, in the order of the file.

    Keys are `<name>.att` [regions, dim], `<name>.fc` [dim] (default: the mean over regions) and
    `<name>.box` [regions, 4] (optional); float16, float32 or float64.

    Raises:
        InputError: no such file, no .npz, pickled contents, an unknown key, a missing att, a wrong
            shape or dtype, no region, NaN or infinity, or a box outside the image.
    """
    images: dict[str, dict[str, Array]] = {}
    for key, array in _read_arrays(path).items():
        name, _, part = key.rpartition(".")
        if not name or part not in PARTS:
            raise _error(f"the key {key!r} is unknown", path, f"use <name>.{'|'.join(PARTS)}")
        images.setdefault(name, {})[part] = _floats(array, f"{path}: {key}")
    if not images:
        raise _error("the file has no features", path, "store <name>.att for each image")
    return {name: _features(parts, f"{path}: {name}") for name, parts in images.items()}


def save_features(path: Path, images: Mapping[str, Features]) -> None:
    """Write a features file, whole or not at all; OSError where it cannot be written."""
    arrays: dict[str, Array] = {}
    for name, features in images.items():
        arrays |= {f"{name}.att": features.att, f"{name}.fc": features.fc}
        if features.box is not None:
            arrays[f"{name}.box"] = features.box
    write_arrays(path, arrays)


def write_arrays(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write an .npz by the keys of `read_features`, whole or not at all.

    For arrays of other types than `Features` has: float16 halves a file of many images.

    Raises:
        OSError: it cannot be written.
    """
    with whole_file(path) as beside, beside.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # its stub takes keywords for flags


def _read_arrays(path: Path) -> dict[str, Array]:
    hint = "write it with numpy.savez, without object arrays"
    if not path.is_file():
        raise _error("the features file does not exist", path, "give the path of an .npz file")
    if not zipfile.is_zipfile(path):
        raise _error("the features file is no .npz file", path, hint)
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
    except UNREADABLE as error:
        raise _error(f"the features file cannot be read: {error}", path, hint) from error
    except MemoryError as error:
        raise _error("the features file claims more data than fits memory", path, hint) from error


def _floats(array: Array, where: str) -> Array:
    # numpy hands out the raw bytes of a zip member that is no .npy file.
    if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
        kind = array.dtype.name if isinstance(array, np.ndarray) else "no array"
        raise _error(f"features must be float, these are {kind}", where, "store them as float32")
    with np.errstate(over="ignore"):  # beyond float32 becomes infinity, refused below
        array = array.astype(np.float32)
    if not np.isfinite(array).all():
        raise _error("the features hold NaN or infinity", where, "extract them again")
    return array


def _features(parts: Mapping[str, Array], where: str) -> Features:
    att = parts.get("att")
    if att is None:
        raise _error("there are no region features", where, "store them as <name>.att")
    if att.ndim != 2:
        raise _error(f"att has {att.ndim} axes", where, "att must be [regions, dim]")
    if 0 in att.shape:
        raise _error("there is no region", where, "att needs at least one row and one column")
    fc = parts.get("fc", att.mean(axis=0))
    if fc.ndim != 1 or not fc.size:
        raise _error(f"fc is {list(fc.shape)}", where, "fc must be [dim]")
    return Features(att, fc, _box(parts.get("box"), len(att), where))


def _box(box: Array | None, regions: int, where: str) -> Array | None:
    if box is None:
        return None
    if box.shape != (regions, BOX_WIDTH):
        raise _error(
            f"box is {list(box.shape)}, not {[regions, BOX_WIDTH]}", where, "one box per region"
        )
    if box.min() < 0 or box.max() > 1:
        raise _error("a box lies outside [0, 1]", where, "divide boxes by the image's size")
    return box


def _error(what: str, where: Path | str, hint: str) -> InputError:
    return InputError(what, where=str(where), hint=hint)
