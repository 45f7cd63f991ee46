"""`capexport detector` and `capexport regions`: weights and pictures into a features file."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from encoder_weights import random_state
from image_nets import images
from PIL import Image

from capexport.captioner.encoders.region_detector import detector_shapes
from capexport.cli import main
from capexport.runtime import open_detector, read_features


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("regions")
    torch.save(random_state(detector_shapes()), folder / "detector.pth")
    (folder / "pictures").mkdir()
    for number, image in enumerate(images(2, (60, 90))):
        Image.fromarray(image[0].numpy()).save(folder / "pictures" / f"{number}.png")
    assert main(["detector", str(folder / "detector.pth"), "--out", str(folder / "detector")]) == 0
    return folder


def test_pictures_become_a_features_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "features.npz"
    command = ["regions", str(folder / "detector"), str(folder / "pictures"), "--out", str(out)]
    assert main([*command, "--most", "5", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document == {"out": str(out), "regions": {"0.png": 5, "1.png": 5}}
    opened = open_detector(folder / "detector", "litert")
    for name, got in read_features(out).items():
        expected = opened.regions(opened.read(folder / "pictures" / name), most=5)
        for part in ("att", "fc", "box"):
            np.testing.assert_array_equal(getattr(got, part), getattr(expected, part))
    assert main(command) == 1
    assert "the output exists" in capsys.readouterr().err


def test_pictures_of_one_name_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures, out = str(folder / "pictures"), folder / "twice.npz"
    command = ["regions", str(folder / "detector"), pictures, pictures, "--out", str(out)]
    assert main(command) == 1
    assert "two pictures have one name" in capsys.readouterr().err
    assert not out.exists()


def test_a_folder_without_a_detector_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder / "other.npz"
    assert main(["regions", str(folder), str(folder / "pictures"), "--out", str(out)]) == 1
    assert "no region detector" in capsys.readouterr().err
    assert not out.exists()
