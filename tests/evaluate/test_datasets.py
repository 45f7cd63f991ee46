"""Each published form of captions gives the same images."""

import json
from pathlib import Path

import pytest

from capexport.errors import InputError
from capexport.evaluate.datasets import read_captions, select

TEXTS = {"a.jpg": ["a cat", "the cat"], "b.jpg": ["two dogs", "dogs"]}


def karpathy() -> object:
    splits = {"a.jpg": "restval", "b.jpg": "test"}
    return {
        "images": [
            {"filename": n, "split": splits[n], "sentences": [{"raw": t} for t in texts]}
            for n, texts in TEXTS.items()
        ]
    }


def coco() -> object:
    return {
        "images": [{"id": n, "file_name": name} for n, name in enumerate(TEXTS)],
        "annotations": [
            {"image_id": n, "caption": text}
            for n, texts in enumerate(TEXTS.values())
            for text in texts
        ],
    }


def collection() -> object:
    return {
        "images": [
            {"set": "ucm", "file": n, "split": "train", "captions": texts}
            for n, texts in TEXTS.items()
        ]
    }


def flickr() -> str:
    return "".join(f"{n}#{i}\t{t}\n" for n, texts in TEXTS.items() for i, t in enumerate(texts))


FORMS = {
    "dataset_coco.json": json.dumps(karpathy()),
    "captions_val.json": json.dumps(coco()),
    "captions.json": json.dumps(collection()),
    "Flickr8k.token.txt": flickr(),
}


@pytest.mark.parametrize("name", FORMS)
def test_forms(name: str, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.jpg").touch()
    (tmp_path / "b.jpg").touch()
    (tmp_path / name).write_text(FORMS[name])
    images = read_captions(tmp_path)
    assert {image.name: list(image.captions) for image in images} == TEXTS
    assert [image.file for image in images] == [tmp_path / "images" / "a.jpg", tmp_path / "b.jpg"]


def test_karpathy_trains_on_what_is_left_of_validation(tmp_path: Path) -> None:
    (tmp_path / "d.json").write_text(FORMS["dataset_coco.json"])
    assert [image.split for image in read_captions(tmp_path / "d.json")] == ["train", "test"]


def test_a_split_that_is_not_there_says_what_is(tmp_path: Path) -> None:
    (tmp_path / "captions.json").write_text(FORMS["captions.json"])
    images = read_captions(tmp_path)
    assert len(select(images, "train", "ucm")) == 2
    with pytest.raises(InputError, match="no image") as caught:
        select(images, "test")
    assert "ucm/train" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no known form"),
        ("[]", "no known form"),
        ('{"images": []}', "no known form"),
        ('{"images": [{"file": "a", "set": "s", "split": "t", "captions": []}]}', "no caption"),
        (
            '{"images": [{"file": "../a", "set": "s", "split": "t", "captions": ["x"]}]}',
            "leads out",
        ),
        ('{"images": [{"id": 1, "file_name": "a"}], "annotations": []}', "no caption"),
        (
            json.dumps({"images": [{"filename": "a", "split": "t", "sentences": [{}]}]}),
            "known form",
        ),
    ],
)
def test_damaged_files(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "captions.json").write_text(text)
    with pytest.raises(InputError, match=message):
        read_captions(tmp_path)


def test_flickr_lines_are_checked(tmp_path: Path) -> None:
    (tmp_path / "x.token").write_text("a.jpg#0\ta cat\nnonsense\n")
    with pytest.raises(InputError, match="line 2"):
        read_captions(tmp_path)


def test_a_folder_with_two_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "b.json").write_text("{}")
    with pytest.raises(InputError, match=r"a\.json, b\.json"):
        read_captions(tmp_path)


def test_a_picture_listed_twice_is_refused(tmp_path: Path) -> None:
    record = {"file": "a", "set": "s", "split": "t", "captions": ["x"]}
    (tmp_path / "captions.json").write_text(json.dumps({"images": [record, record]}))
    with pytest.raises(InputError, match="twice"):
        read_captions(tmp_path)


def test_the_published_collection(shared_data: Path) -> None:
    images = read_captions(shared_data / "captions")
    counts = {s: len(select(images, s, "ucm")) for s in ("train", "val", "test")}
    assert counts == {"train": 1680, "val": 105, "test": 210}
    assert all(image.file.is_file() and len(image.captions) == 5 for image in images)
