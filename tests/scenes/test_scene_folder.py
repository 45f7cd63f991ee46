"""Scenes on disk: read by the data sets' reader, the same each time, whole or not at all."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from capexport.cli import app
from capexport.errors import InputError
from capexport.evaluate.datasets import read_captions, select
from capexport.scenes import judge, read_scenes, write_scenes

COUNTS = {"train": 6, "val": 2, "test": 3}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_scenes(tmp_path / "scenes", COUNTS, seed=5)
    return tmp_path / "scenes"


def test_the_data_sets_reader_reads_it(folder: Path) -> None:
    images = read_captions(folder)
    assert {split: len(select(images, split)) for split in COUNTS} == COUNTS
    scenes = read_scenes(folder)
    for image in images:
        assert np.asarray(Image.open(image.file)).shape == (96, 96, 3)
        assert all(judge(text, scenes[image.name]).is_complete for text in image.captions)


def test_the_same_seed_gives_the_same_files_and_more_of_them(folder: Path) -> None:
    more = folder.parent / "more"
    write_scenes(more, {"train": 8, "test": 3}, seed=5)
    for name in ("train/00005.png", "test/00000.png"):
        assert (more / "images" / name).read_bytes() == (folder / "images" / name).read_bytes()
    images, again = (read_scenes(f) for f in (folder, more))
    assert images["train/00003.png"] == again["train/00003.png"]
    assert images["train/00000.png"] != images["test/00000.png"]


def test_another_seed_gives_others(folder: Path) -> None:
    write_scenes(folder.parent / "other", COUNTS, seed=6)
    scenes, others = read_scenes(folder), read_scenes(folder.parent / "other")
    assert all(scenes[name] != others[name] for name in scenes)


def test_only_its_own_folder_is_replaced(folder: Path) -> None:
    with pytest.raises(InputError, match="exists already"):
        write_scenes(folder, COUNTS, seed=6)
    write_scenes(folder, {"test": 1}, seed=6, force=True)
    assert len(read_captions(folder)) == 1
    (folder / "notes.txt").touch()
    with pytest.raises(InputError, match="no folder of scenes"):
        write_scenes(folder, COUNTS, seed=6, force=True)
    with pytest.raises(InputError, match="parent folder"):
        write_scenes(folder / "a" / "b", COUNTS, seed=6)


def test_an_interrupted_command_leaves_nothing(tmp_path: Path) -> None:
    def stop(text: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_scenes(tmp_path / "scenes", COUNTS, seed=0, progress=stop)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["", "{}", '{"images": [{"file": "a"}]}', "[" * 9999])
def test_another_folder_is_refused(text: str, folder: Path) -> None:
    (folder / "captions.json").write_text(text)
    with pytest.raises(InputError, match="no folder of scenes"):
        read_scenes(folder)


def test_the_command_line(tmp_path: Path) -> None:
    arguments = ["scenes", "--out", str(tmp_path / "s"), "--images", "2", "--val", "1"]
    result = CliRunner().invoke(app, [*arguments, "--test", "0", "--seed", "4", "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["images"] == {"train": 2, "val": 1}
    assert len(read_captions(tmp_path / "s")) == 3


def test_no_picture_is_an_error(tmp_path: Path) -> None:
    arguments = ["scenes", "--out", str(tmp_path / "s"), "--images", "0", "--val", "0"]
    assert CliRunner().invoke(app, [*arguments, "--test", "0"]).exit_code == 1
    assert not list(tmp_path.iterdir())
