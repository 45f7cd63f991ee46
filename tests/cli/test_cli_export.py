"""`capexport export`: what it passes on, what it prints, what it refuses. The export is a fake."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from checkpoints import write_up_down
from placeholder_bundle import write_bundle

import capexport.export
from capexport.bundle import Bundle
from capexport.cli import main


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    write_up_down(tmp_path / "checkpoint")
    return tmp_path / "checkpoint"


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Replace the export by one that writes placeholders, and note its arguments."""
    noted: list[dict[str, Any]] = []

    def export(
        checkpoint: Path, out: Path, *, progress: Callable[[str], None], **options: Any
    ) -> Bundle:
        noted.append({"checkpoint": checkpoint, "out": out, **options})
        progress("writing placeholders")
        return write_bundle(out, force=options["force"])

    monkeypatch.setattr(capexport.export, "export", export)
    return noted


def test_defaults_reach_the_export(
    checkpoint: Path, calls: list[dict[str, Any]], tmp_path: Path
) -> None:
    out = tmp_path / "bundle"
    assert main(["export", str(checkpoint), "--out", str(out)]) == 0
    assert calls == [
        {
            "checkpoint": checkpoint,
            "out": out,
            "formats": ("tflite", "onnx"),
            "recipe": "dynamic_wi8",
            "weights": "auto",
            "encoder": None,
            "calibration": None,
            "validation": None,
            "force": False,
        }
    ]


def test_options_reach_the_export(
    checkpoint: Path, calls: list[dict[str, Any]], tmp_path: Path
) -> None:
    options = ["--format", "onnx", "--recipe", "encoder=fp32,decoder=dynamic_wi8"]
    options += ["--weights", "stock-sparse", "--force"]
    options += ["--encoder", "resnet50:weights.pth"]
    assert main(["export", str(checkpoint), "--out", str(tmp_path / "bundle"), *options]) == 0
    assert calls[0]["formats"] == ("onnx",)
    assert calls[0]["recipe"] == "encoder=fp32,decoder=dynamic_wi8"
    assert calls[0]["weights"] == "stock-sparse"
    assert calls[0]["encoder"] == "resnet50:weights.pth"
    assert calls[0]["force"] is True


def test_json_gives_bytes_before_and_after(
    checkpoint: Path,
    calls: list[dict[str, Any]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "bundle"
    assert main(["export", str(checkpoint), "--out", str(out), "--json"]) == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert captured.err == ""
    assert document["bundle"] == str(out)
    assert document["checkpoint"] == {"file": "model_best_pruned.pth", "bytes": 1000}
    assert {f["name"]: f["bytes"] for f in document["files"]} == {
        path.name: path.stat().st_size for path in out.iterdir() if path.name != "manifest.json"
    }


def test_table_shows_every_file_and_where_it_went(
    checkpoint: Path,
    calls: list[dict[str, Any]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "bundle"
    assert main(["export", str(checkpoint), "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    for name in ("encoder.tflite", "decoder_step.tflite", "encoder.onnx", "decoder_step.onnx"):
        assert name in shown
    assert shown.endswith(f"wrote {out}\n")


@pytest.mark.parametrize("problem", ["no parent", "dangling link", "no bundle"])
def test_an_output_that_cannot_be_is_refused_before_any_work(
    problem: str,
    checkpoint: Path,
    calls: list[dict[str, Any]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "no" / "bundle" if problem == "no parent" else tmp_path / "bundle"
    if problem == "dangling link":
        out.symlink_to(tmp_path / "nowhere")
    if problem == "no bundle":
        out.mkdir()
    force = ["--force"] if problem == "no bundle" else []
    assert main(["export", str(checkpoint), "--out", str(out), *force]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 3
    assert calls == []


def test_an_existing_output_is_kept(
    checkpoint: Path,
    calls: list[dict[str, Any]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "bundle"
    out.mkdir()
    (out / "mine.txt").write_text("keep me")
    assert main(["export", str(checkpoint), "--out", str(out)]) == 1
    assert "--force" in capsys.readouterr().err
    assert calls == []
    assert (out / "mine.txt").read_text() == "keep me"


def test_force_replaces_an_existing_bundle(
    checkpoint: Path, calls: list[dict[str, Any]], tmp_path: Path
) -> None:
    out = tmp_path / "bundle"
    write_bundle(out, ("litert",))
    assert main(["export", str(checkpoint), "--out", str(out), "--force"]) == 0
    assert (out / "encoder.onnx").is_file()


def test_an_image_encoder_counts_among_what_was_there_before(
    checkpoint: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    encoder = {"architecture": "resnet50", "weights_file": "resnet50.pth", "bytes": 3000}

    def export(checkpoint: Path, out: Path, **_: Any) -> Bundle:
        bundle = write_bundle(out)
        provenance = {**bundle.manifest.provenance, "image_encoder": encoder}
        return replace(bundle, manifest=replace(bundle.manifest, provenance=provenance))

    monkeypatch.setattr(capexport.export, "export", export)
    out = tmp_path / "bundle"
    assert main(["export", str(checkpoint), "--out", str(out), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["image_encoder"] == {"file": "resnet50.pth", "bytes": 3000}
    assert main(["export", str(checkpoint), "--out", str(tmp_path / "second")]) == 0
    lines = {
        line.split()[0]: line.split()[1:] for line in capsys.readouterr().out.splitlines() if line
    }
    assert lines["resnet50.pth"] == ["3,000", "image", "encoder"]
    size = sum(path.stat().st_size for path in out.iterdir() if path.name != "manifest.json")
    assert float(lines["bundle"][1]) == pytest.approx(100 * size / 4000, abs=0.051)
