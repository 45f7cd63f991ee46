"""What a user names, for a bundle that takes pictures and for one that takes features."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from capexport.errors import InputError, UnsupportedError
from capexport.runtime import Features, Picture, encoder_inputs, input_files, read_inputs
from capexport.spec.image import ImageSpec
from capexport.spec.signature import REGIONS, CaptionerSignature, TensorSpec

SPEC = ImageSpec(2, 2, 2)
TAKES_IMAGE = CaptionerSignature((TensorSpec("image", SPEC.shape, "uint8"),), (), (), 3)
TAKES_FEATURES = CaptionerSignature((TensorSpec("att", (REGIONS, 4)),), (), (), 3)
PICTURE = Picture(np.zeros(SPEC.shape, np.uint8))
FEATURES = Features(np.ones((1, 4), np.float32), np.ones(4, np.float32))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.png", "a.JPG", "notes.txt"):
        if name.endswith("txt"):
            (tmp_path / name).write_text("no picture")
        else:
            Image.new("RGB", (4, 4)).save(tmp_path / name)
    (tmp_path / "inner").mkdir()
    return tmp_path


def test_a_folder_gives_its_pictures_by_name(folder: Path) -> None:
    assert [file.name for file in input_files(folder, SPEC)] == ["a.JPG", "b.png"]
    assert input_files(folder / "b.png", SPEC) == [folder / "b.png"]


def test_a_folder_without_pictures(folder: Path) -> None:
    with pytest.raises(InputError, match="no picture"):
        input_files(folder / "inner", SPEC)


def test_a_picture_goes_by_its_file_name(folder: Path) -> None:
    (name, given), *others = read_inputs(folder / "b.png", SPEC).items()
    assert (name, others) == ("b.png", [])
    assert isinstance(given, Picture)
    assert list(encoder_inputs(TAKES_IMAGE, given)) == ["image"]


def test_the_wrong_kind_of_file(folder: Path) -> None:
    with pytest.raises(InputError, match="takes pictures, not region features"):
        read_inputs(folder / "features.npz", SPEC)
    for path in (folder / "b.png", folder):
        with pytest.raises(UnsupportedError, match="takes region features, not images"):
            read_inputs(path, None)


def test_the_wrong_kind_of_input() -> None:
    with pytest.raises(InputError, match="the features do not have it") as caught:
        encoder_inputs(TAKES_IMAGE, FEATURES)
    assert caught.value.hint == "give a picture"
    with pytest.raises(InputError, match="a picture does not have it") as caught:
        encoder_inputs(TAKES_FEATURES, PICTURE)
    assert caught.value.hint == "give a features file"
