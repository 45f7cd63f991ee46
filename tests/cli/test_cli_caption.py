"""`capexport caption`: runtimes, inputs and their failures. The session is a fake."""

import json
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from placeholder_bundle import write_bundle

import capexport.runtime
from capexport.bundle import Bundle
from capexport.cli import main
from capexport.cli.caption import Runtime
from capexport.errors import InputError, RuntimeMissingError
from capexport.runtime import RUNTIMES, Caption, Features

WIDTH = 4


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    return str(write_bundle(tmp_path / "bundle").path)


@pytest.fixture
def features(tmp_path: Path) -> Path:
    """Two images; the fake captioner says how many regions each has."""
    path = tmp_path / "features.npz"
    arrays = {"two.att": np.ones((2, WIDTH), np.float32), "one.att": np.ones((1, WIDTH))}
    np.savez(path, **arrays)
    return path


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Replace the runtimes; note which was opened with how many threads."""
    opened: list[tuple[str, int]] = []

    def open_session(bundle: Bundle, runtime: str, threads: int) -> str:
        opened.append((runtime, threads))
        return runtime

    def caption(session: str, features: Features, beam: int) -> Caption:
        regions, width = features.att.shape
        if width != WIDTH:
            raise InputError("wrong width", where="att", hint=f"give {WIDTH}")
        return Caption([4] * regions + [3], -0.5 * regions, f"{regions} regions, beam {beam}")

    monkeypatch.setattr(capexport.runtime, "open_session", open_session)
    monkeypatch.setattr(capexport.runtime, "caption", caption)
    return opened


def test_choices_of_the_option_are_the_runtimes() -> None:
    assert get_args(Runtime) == RUNTIMES


def test_json_has_the_documented_shape_in_input_order(
    bundle: str, features: Path, sessions: list[tuple[str, int]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["caption", bundle, str(features), "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert json.loads(captured.out) == [
        {
            "input": "two",
            "caption": "2 regions, beam 2",
            "tokens": [4, 4, 3],
            "log_prob": -1.0,
            "file": str(features),
        },
        {
            "input": "one",
            "caption": "1 regions, beam 2",
            "tokens": [4, 3],
            "log_prob": -0.5,
            "file": str(features),
        },
    ]


def test_people_get_one_line_per_input(
    bundle: str, features: Path, sessions: list[tuple[str, int]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["caption", bundle, str(features), "--beam", "3"]) == 0
    assert capsys.readouterr().out == "two: 2 regions, beam 3\none: 1 regions, beam 3\n"


def test_runtime_and_threads_are_passed_on(
    bundle: str, features: Path, sessions: list[tuple[str, int]]
) -> None:
    options = ["--runtime", "onnxruntime", "--threads", "2"]
    assert main(["caption", bundle, str(features), *options]) == 0
    assert sessions == [("onnxruntime", 2)]


def test_default_runtime_is_the_bundles_first(
    bundle: str, features: Path, sessions: list[tuple[str, int]]
) -> None:
    assert main(["caption", bundle, str(features)]) == 0
    assert sessions == [("litert", 1)]


def only_installed(monkeypatch: pytest.MonkeyPatch, installed: tuple[str, ...]) -> None:
    def open_session(bundle: Bundle, runtime: str, threads: int) -> str:
        if runtime not in installed:
            hint = f"pip install 'capexport[{runtime}]'"
            raise RuntimeMissingError(f"{runtime} is missing", where=runtime, hint=hint)
        return runtime

    monkeypatch.setattr(capexport.runtime, "open_session", open_session)


def test_default_runtime_skips_what_is_not_installed(
    bundle: str,
    features: Path,
    sessions: list[tuple[str, int]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    only_installed(monkeypatch, ("onnxruntime",))
    assert main(["caption", bundle, str(features)]) == 0
    assert capsys.readouterr().err == ""


def test_a_beam_beyond_the_vocabulary_is_refused_once(
    bundle: str, features: Path, sessions: list[tuple[str, int]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["caption", bundle, str(features), "--beam", "7"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines()[0] == "error: the beam width is 7"
    assert len(captured.err.splitlines()) == 3


def test_no_installed_runtime_names_the_extras(
    bundle: str,
    features: Path,
    sessions: list[tuple[str, int]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    only_installed(monkeypatch, ())
    assert main(["caption", bundle, str(features)]) == 1
    shown = capsys.readouterr().err
    assert "litert is missing; onnxruntime is missing" in shown
    assert "capexport[litert]" in shown
    assert "capexport[onnxruntime]" in shown


def test_a_wanted_runtime_is_not_replaced_by_another(
    bundle: str,
    features: Path,
    sessions: list[tuple[str, int]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    only_installed(monkeypatch, ("onnxruntime",))
    assert main(["caption", bundle, str(features), "--runtime", "litert"]) == 1
    assert "litert is missing" in capsys.readouterr().err


def test_one_bad_file_does_not_stop_the_others(
    bundle: str,
    features: Path,
    sessions: list[tuple[str, int]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    missing = str(tmp_path / "missing.npz")
    assert main(["caption", bundle, missing, str(features), "--json"]) == 1
    captured = capsys.readouterr()
    assert [record["input"] for record in json.loads(captured.out)] == ["two", "one"]
    assert len(captured.err.splitlines()) == 3
    assert missing in captured.err


def test_one_bad_input_does_not_stop_the_others_of_its_file(
    bundle: str, sessions: list[tuple[str, int]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mixed.npz"
    widths = {"good": WIDTH, "wide": WIDTH + 1, "fine": WIDTH}
    np.savez(path, **{f"{name}.att": np.ones((1, width)) for name, width in widths.items()})
    assert main(["caption", bundle, str(path), "--json"]) == 1
    captured = capsys.readouterr()
    assert [record["input"] for record in json.loads(captured.out)] == ["good", "fine"]
    assert "error: wrong width" in captured.err
    assert f"where: {path}: wide: att" in captured.err


@pytest.mark.parametrize("name", ["photo.jpg", "PHOTO.PNG", "folder"])
def test_images_are_refused_with_what_would_work(
    name: str,
    bundle: str,
    sessions: list[tuple[str, int]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / name
    if name == "folder":
        path.mkdir()
    assert main(["caption", bundle, str(path)]) == 1
    shown = capsys.readouterr().err
    assert "this bundle's encoder takes region features" in shown
    assert ".npz" in shown


def test_traceback_of_a_bad_input_is_shown_on_request(
    bundle: str, sessions: list[tuple[str, int]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["caption", bundle, str(tmp_path / "missing.npz"), "--debug"]) == 1
    assert "Traceback (most recent call last)" in capsys.readouterr().err
