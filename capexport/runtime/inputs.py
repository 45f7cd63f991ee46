"""Paths that a user names -> what the encoder of a bundle takes, features or pictures."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from capexport.errors import InputError, UnsupportedError
from capexport.runtime.features import Features, read_features
from capexport.runtime.graph_runner import Array
from capexport.runtime.image import IMAGE_SUFFIXES, Picture, read_picture
from capexport.spec.image import ImageSpec
from capexport.spec.signature import IMAGE, CaptionerSignature

FEATURES_SUFFIX = ".npz"

Given = Features | Picture
"""What a caption is made of."""


def input_files(path: Path, image: ImageSpec | None) -> list[Path]:
    """The path itself; for a bundle that takes pictures, those that lie in a folder, by name.

    Raises:
        InputError: a folder without pictures.
    """
    if image is None or not path.is_dir():
        return [path]
    files = [file for file in path.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES]
    if not files:
        raise InputError(
            "the folder has no picture",
            where=str(path),
            hint=f"pictures are {', '.join(sorted(IMAGE_SUFFIXES))}, and not in a folder of it",
        )
    return sorted(files)


def read_inputs(file: Path, image: ImageSpec | None) -> Mapping[str, Given]:
    """One picture under its file name, or every entry of a features file.

    Args:
        image: the bundle's rule for pictures; None for one that takes region features.

    Raises:
        InputError: the file is missing or damaged, or holds features where a picture is needed.
        UnsupportedError: it is a picture where features are needed.
    """
    if image is None:
        if file.is_dir() or file.suffix.lower() in IMAGE_SUFFIXES:
            raise UnsupportedError(
                "this bundle's encoder takes region features, not images",
                where=str(file),
                hint="give a .npz file with NAME.att [regions, dim] for every image",
            )
        return read_features(file)
    if file.suffix.lower() == FEATURES_SUFFIX:
        raise InputError(
            "this bundle's encoder takes pictures, not region features",
            where=str(file),
            hint="give pictures, or a folder of pictures",
        )
    return {file.name: read_picture(file, image)}


def read_pictures(folder: Path | None, image: ImageSpec | None) -> Iterator[Array]:
    """Pixels of the pictures in a folder, one at a time; none without a folder or a rule."""
    if folder is None or image is None:
        return
    for file in input_files(folder, image):
        yield read_picture(file, image).pixels


def encoder_inputs(signature: CaptionerSignature, given: Given) -> dict[str, Array]:
    """What is given by the names of the encoder's inputs, in their order.

    A picture is image [1, height, width, 3]; features are att [regions, dim], fc [1, dim] and box.

    Raises:
        InputError: the encoder needs something else, such as boxes where there are none.
    """
    arrays: Mapping[str, Array | None]
    if isinstance(given, Picture):
        arrays, source, hint = {IMAGE: given.pixels}, "a picture does", "give a features file"
    else:
        arrays = {"att": given.att, "fc": given.fc[np.newaxis], "box": given.box}
        source, hint = "the features do", "add <name>.{} to the features file"
    inputs = {}
    for spec in signature.inputs:
        array = arrays.get(spec.name)
        if array is None:
            raise InputError(
                f"the model needs {spec.name!r}, {source} not have it",
                where=f"input {spec.name}",
                hint="give a picture" if spec.name == IMAGE else hint.format(spec.name),
            )
        inputs[spec.name] = array
    return inputs
