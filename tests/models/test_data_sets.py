"""What the scripts of models/ make of a data set before a captioner learns from it."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from capexport.evaluate.datasets import read_captions
from models.cropped import SMALLEST, cropped, random_part
from models.few_captions import FREQUENCY, few_captions, fit
from models.flipped import flipped

FIELD = ("a field of corn", "it is a field")
HARBOR = ("a harbor with boats", "boats in the harbor")
PARK = ("a field with trees", "it is a park")
SAID = {
    FIELD: Counter({"it is a field": 9, "a field of corn": 4}),
    HARBOR: Counter({"boats in the harbor": 6, "many boats": 6, "it is a field": 1}),
    PARK: Counter({"a field of corn": 4, "it is a green park": 2}),
}


@pytest.fixture(scope="module")
def chosen() -> dict[tuple[str, ...], str]:
    return few_captions(SAID, least=3)


def test_each_kind_has_one_caption_that_the_model_said_often(chosen: dict[object, str]) -> None:
    total = sum(SAID.values(), Counter())
    assert set(chosen) == set(SAID)
    assert all(total[caption] >= 3 for caption in chosen.values())
    assert chosen[FIELD] == "it is a field"
    assert chosen[HARBOR] == "boats in the harbor"  # people say so, not "many boats"


def test_no_kind_has_a_better_caption_at_the_counts_found(chosen: dict[object, str]) -> None:
    captions = sorted(set(chosen.values()))
    pictures = Counter(dict.fromkeys(captions, 0))
    for kind, caption in chosen.items():
        pictures[caption] += SAID[kind].total()
    counts = np.log([pictures[caption] for caption in captions])
    worth = fit(SAID, captions) + FREQUENCY * counts
    assert [captions[n] for n in worth.argmax(1)] == [chosen[kind] for kind in SAID]


def test_parts_are_inside_the_picture_and_some_are_turned() -> None:
    rows, columns = np.mgrid[:40, :60].astype(np.uint8)
    picture = Image.fromarray(np.stack([rows, columns, rows], -1))
    random = np.random.default_rng(0)
    turned = 0
    for _ in range(50):
        part = np.asarray(random_part(picture, random)).astype(int)
        is_upright = part[0, 0, 0] == part[0, -1, 0]  # red is the row
        upright = part if is_upright else part.transpose(1, 0, 2)
        turned += not is_upright
        height, width, _ = upright.shape
        assert min(width / 60, height / 40) >= SMALLEST - 1 / 40
        assert np.array_equal(np.diff(upright[:, :, 0], axis=0), np.ones((height - 1, width)))
        assert np.array_equal(np.diff(upright[:, :, 1], axis=1), np.ones((height, width - 1)))
    assert 10 < turned < 40


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    """A data set of three pictures of noise."""
    (tmp_path / "images").mkdir()
    random = np.random.default_rng(0)
    records = []
    for name, split in (("a.jpg", "train"), ("b.png", "train"), ("c.png", "test")):
        picture = random.integers(0, 256, (20, 20, 3)).astype(np.uint8)
        Image.fromarray(picture).save(tmp_path / "images" / name)
        records.append({"set": "noise", "split": split, "file": name, "captions": [name]})
    (tmp_path / "captions.json").write_text(json.dumps({"images": records}))
    return tmp_path


def test_cropped_pictures_keep_names_and_captions(noise: Path, tmp_path: Path) -> None:
    assert cropped(noise, tmp_path / "out", 1) == 2
    images = read_captions(tmp_path / "out")
    assert [(one.name, one.captions) for one in images] == [
        ("a.jpg", ("a.jpg",)),
        ("b.png", ("b.png",)),
    ]
    for one in images:
        with Image.open(one.file) as picture:
            assert 15 <= picture.width <= 20


@pytest.mark.parametrize(("split", "total"), [("train", 9), ("test", 6)])
def test_pictures_of_one_split_are_mirrored(
    noise: Path, tmp_path: Path, split: str, total: int
) -> None:
    assert flipped(noise, tmp_path / "out", "noise", split) == total
    images = read_captions(tmp_path / "out")
    views = [one for one in images if one.captions == ("c.png",)]
    assert len(views) == (4 if split == "test" else 1)
    upright, *turned = [np.asarray(Image.open(one.file)) for one in views]
    for got, axes in zip(turned, (1, 0, (0, 1)), strict=split == "test"):
        assert np.array_equal(got, np.flip(upright, axes))
