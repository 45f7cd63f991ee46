"""`capexport caption` and `inspect` on a bundle that takes pictures. The session is a fake."""

import json
from pathlib import Path

import pytest
from PIL import Image
from placeholder_bundle import write_bundle

import capexport.runtime
from capexport.cli import main
from capexport.runtime import Caption, Picture
from capexport.spec.image import ImageSpec

SPEC = ImageSpec(2, 3, 3)


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    return str(write_bundle(tmp_path / "bundle", image=SPEC).path)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A red and a blue picture."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for colour in ("red", "blue"):
        Image.new("RGB", (8, 8), colour).save(folder / f"{colour}.png")
    return folder


@pytest.fixture(autouse=True)
def _sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the runtimes by one that names the channel of the first pixel."""

    def caption(session: str, given: Picture, beam: int) -> Caption:
        assert given.pixels.shape == SPEC.shape
        channel = given.pixels[0, 0, 0].argmax()
        return Caption([4, 3], -0.5, ("red", "green", "blue")[channel])

    monkeypatch.setattr(capexport.runtime, "open_session", lambda *_: "fake")
    monkeypatch.setattr(capexport.runtime, "caption", caption)


def test_pictures_and_folders_are_captioned(
    bundle: str, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["caption", bundle, str(photos / "red.png"), str(photos)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "red.png: red",
        "blue.png: blue",
        "red.png: red",
    ]


def test_json_names_picture_and_file(
    bundle: str, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["caption", bundle, str(photos / "blue.png"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {
            "input": "blue.png",
            "caption": "blue",
            "tokens": [4, 3],
            "log_prob": -0.5,
            "file": str(photos / "blue.png"),
        }
    ]


def test_a_damaged_picture_does_not_stop_the_others(
    bundle: str, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = photos / "blue.png"
    damaged.write_bytes(damaged.read_bytes()[:50])
    assert main(["caption", bundle, str(photos)]) == 1
    captured = capsys.readouterr()
    assert captured.out == "red.png: red\n"
    assert len(captured.err.splitlines()) == 3
    assert str(damaged) in captured.err


def test_an_empty_folder_does_not_stop_the_others(
    bundle: str, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["caption", bundle, str(tmp_path / "empty"), str(photos / "red.png")]) == 1
    captured = capsys.readouterr()
    assert captured.out == "red.png: red\n"
    assert "the folder has no picture" in captured.err


def test_features_are_refused_with_what_would_work(
    bundle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["caption", bundle, str(tmp_path / "features.npz")]) == 1
    shown = capsys.readouterr().err
    assert "takes pictures, not region features" in shown
    assert "folder of pictures" in shown


def test_inspect_says_what_the_bundle_takes(
    bundle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", bundle, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["image"] == {
        "height": 2,
        "width": 3,
        "short_side": 3,
        "filter": "bilinear-antialias-q22",
    }
    assert main(["inspect", bundle]) == 0
    assert "pictures, 2 x 3, for its encoder" in capsys.readouterr().out
    write_bundle(tmp_path / "features")
    assert main(["inspect", str(tmp_path / "features")]) == 0
    assert "region features" in capsys.readouterr().out
