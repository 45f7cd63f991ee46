"""`capexport android`: where the bundle goes, and what is said; the build itself is a fake."""

import json
from pathlib import Path
from typing import Any

import pytest
from placeholder_bundle import write_bundle

from capexport.android import demo, goldens, gradle, instrument, minimal_apk, tools
from capexport.bench.devices import adb
from capexport.bundle import open_bundle
from capexport.cli import main
from capexport.errors import RuntimeMissingError


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    return str(write_bundle(tmp_path / "bundle").path)


@pytest.fixture(autouse=True)
def demo_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty demo, no SDK, and a build that writes four bytes."""
    for variable in gradle.SDK_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    folder = tmp_path / "android_demo"
    folder.mkdir()

    def build(_bundle: Any, _demo: Any, _tools: Any, out: Path, *_: Any) -> minimal_apk.Apk:
        out.write_bytes(b"apk!")
        return minimal_apk.Apk(out, {"code": 4}, ("all is well",))

    monkeypatch.setattr(demo, "demo_folder", lambda: folder)
    monkeypatch.setattr(tools, "find_tools", lambda: None)
    monkeypatch.setattr(minimal_apk, "build_minimal_apk", build)
    return folder


def test_without_an_sdk_the_minimal_apk_is_built(
    bundle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "demo.apk"
    assert main(["android", bundle, "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "build": "minimal",
        "apk": str(out),
        "bytes": 4,
        "sizes": {"code": 4},
        "checks": ["all is well"],
    }


def test_an_existing_apk_needs_force(
    bundle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "demo.apk"
    out.write_bytes(b"old")
    assert main(["android", bundle, "--out", str(out)]) == 1
    assert "--force" in capsys.readouterr().err
    assert out.read_bytes() == b"old"
    assert main(["android", bundle, "--out", str(out), "--force"]) == 0
    assert "all is well" in capsys.readouterr().out


def test_a_bundle_is_placed_for_android_studio(bundle: str, demo_copy: Path) -> None:
    placed = demo_copy / gradle.ASSETS / demo.ASSET
    for _ in range(2):  # in place of the one before
        assert main(["android", bundle, "--build", "none"]) == 0
        assert open_bundle(placed).manifest == open_bundle(Path(bundle)).manifest


@pytest.fixture
def sdk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sdk" / "platforms").mkdir(parents=True)
    monkeypatch.setenv("ANDROID_HOME", str(tmp_path / "sdk"))


def write_wrapper(demo_copy: Path, script: str) -> None:
    (demo_copy / "gradlew").write_text(f"#!/bin/sh\n{script}\n")
    (demo_copy / "gradlew").chmod(0o755)


@pytest.mark.usefixtures("sdk")
def test_with_an_sdk_the_wrapper_builds(bundle: str, tmp_path: Path, demo_copy: Path) -> None:
    built = demo_copy / gradle.BUILT
    write_wrapper(demo_copy, f'mkdir -p "{built.parent}" && echo "$3" > "{built}"')
    out = tmp_path / "demo.apk"
    assert main(["android", bundle, "--out", str(out)]) == 0
    assert out.read_text() == ":app:assembleDebug\n"
    assert (demo_copy / gradle.ASSETS / demo.ASSET / "manifest.json").is_file()


@pytest.mark.usefixtures("sdk")
def test_a_build_that_fails_says_why(
    bundle: str, tmp_path: Path, demo_copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_wrapper(demo_copy, 'echo "error: no such platform" >&2; exit 1')
    assert main(["android", bundle, "--out", str(tmp_path / "demo.apk")]) == 1
    assert "error: no such platform" in capsys.readouterr().err


def test_an_installed_package_has_no_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(demo, "__file__", str(tmp_path / "lib/capexport/android/demo.py"))
    with pytest.raises(RuntimeMissingError, match="no part of an installed"):
        demo.demo_folder()


def no_captions(bundles: Any, inputs: Any, folder: Path) -> None:
    """In place of `write_goldens`: the placeholder bundle has no graphs."""
    (folder / goldens.FILE).write_text(json.dumps([one.path.name for one in bundles]))
    assert list(inputs) == ["made_up"]


def test_without_a_phone_nothing_is_built(
    bundle: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(adb, "attached", dict)
    out = tmp_path / "demo.apk"
    assert main(["android", bundle, "--out", str(out), "--test"]) == 1
    said = capsys.readouterr().err
    assert "0 devices are there" in said
    assert "plug one in" in said
    assert not out.exists()


def test_only_a_phone_runs_the_app(
    bundle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["android", bundle, "--out", str(tmp_path / "demo.apk"), "--test"]
    assert main([*arguments, "--device", "host"]) == 1
    assert "'host' runs no app" in capsys.readouterr().err
    (tmp_path / "demo.json").write_text("another's")
    assert main(arguments) == 1
    assert f"where: {tmp_path / 'demo.json'}" in capsys.readouterr().err
    assert (tmp_path / "demo.json").read_text() == "another's"


def test_the_phones_report_lies_beside_the_apk(
    bundle: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(adb, "attached", lambda: {"serial": "device"})
    monkeypatch.setattr(goldens, "write_goldens", no_captions)
    done = instrument.Instrumented(2, b"{}")
    monkeypatch.setattr(instrument, "run_on", lambda phone, apk: done)
    out = tmp_path / "demo.apk"
    assert main(["android", bundle, "--out", str(out), "--test", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["device"], said["captions"]) == ("adb:serial", 2)
    assert Path(said["report"]).read_bytes() == b"{}"


def test_goldens_go_where_gradles_tests_look(
    bundle: str, demo_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(goldens, "write_goldens", no_captions)
    assert main(["android", bundle, "--build", "none", "--test"]) == 0
    assert (demo_copy / gradle.GRADLE_GOLDENS / goldens.FILE).read_text() == '["bundle"]'


def test_gradles_tests_are_gradles_to_run(
    bundle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "demo.apk")
    assert main(["android", bundle, "--out", out, "--build", "gradle", "--test"]) == 1
    assert "connectedDebugAndroidTest" in capsys.readouterr().err


def test_what_belongs_to_the_test_needs_the_test(
    bundle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for option in (["--device", "adb:1"], ["--input", str(tmp_path)]):
        assert main(["android", bundle, "--out", str(tmp_path / "demo.apk"), *option]) == 1
        assert "add --test" in capsys.readouterr().err
