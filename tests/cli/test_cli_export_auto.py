"""`capexport export --recipe auto`: the bundle keeps the budget on the images that it was given."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkpoints import SMALL, write_up_down
from typer.testing import CliRunner

from capexport.cli import app

IMAGES = 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """checkpoint/, features.npz, and captions.json whose references are the float captions."""
    folder = tmp_path_factory.mktemp("auto")
    write_up_down(folder / "checkpoint", sparsity=0.5)
    att = np.random.default_rng(0).random((IMAGES, 5, SMALL.features), np.float32)
    np.savez(folder / "features.npz", **{f"{n}.att": att[n] for n in range(IMAGES)})
    run("export", str(folder / "checkpoint"), "--out", str(folder / "fp32"), "--recipe", "fp32")
    said = run("caption", str(folder / "fp32"), str(folder / "features.npz"))
    records = [
        {
            "set": "s",
            "split": "val",
            "file": f"{n}.jpg",
            "captions": [one["caption"] or "x", "a b c"],
        }
        for n, one in enumerate(said)
    ]
    (folder / "captions.json").write_text(json.dumps({"images": records}))
    return folder


def run(*arguments: str) -> Any:
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def export_auto(folder: Path, out: Path, budget: str) -> dict[str, Any]:
    options = ["--recipe", "auto", "--data", str(folder), "--max-cider-drop", budget]
    options += ["--features", str(folder / "features.npz"), "--format", "onnx"]
    document: dict[str, Any] = run(
        "export", str(folder / "checkpoint"), "--out", str(out), *options
    )
    return document


def test_the_chosen_bundle_keeps_the_budget(folder: Path, tmp_path: Path) -> None:
    loose, strict = (export_auto(folder, tmp_path / b, b) for b in ("100%", "0"))
    assert loose["auto"]["float"] == []
    for document in (loose, strict):
        auto = document["auto"]
        assert auto["cider"]["float"] - auto["cider"]["chosen"] <= auto["max_drop"]
        assert document["recipe"] == {"encoder": "dynamic_wi8", "decoder": "dynamic_wi8"}
    options = ["--data", str(folder), "--features", str(folder / "features.npz")]
    options += ["--split", "val", "--checkpoint", str(folder / "checkpoint"), "--layers"]
    measured = run("evaluate", str(tmp_path / "0"), *options)
    chosen = strict["auto"]["cider"]["chosen"]
    assert measured["metrics"]["CIDEr-D"] == pytest.approx(chosen)
    exact = {
        layer["layer"] for layer in measured["comparison"]["layers"] if not layer["max_abs_error"]
    }
    kept = {layer for part in strict["auto"]["float"] for layer in part["layers"]}
    assert {layer for layer in kept if "embed" in layer} <= exact


def test_the_same_choice_every_time(folder: Path, tmp_path: Path) -> None:
    first, again = (export_auto(folder, tmp_path / n, "0.5%") for n in ("a", "b"))
    assert first["auto"] == again["auto"]
    assert first["files"] == again["files"]


@pytest.mark.parametrize(
    ("options", "what"),
    [(["--recipe", "auto"], "--data"), (["--data", "DATA", "--recipe", "fp32"], "--recipe auto")],
)
def test_data_and_auto_belong_together(folder: Path, options: list[str], what: str) -> None:
    given = [str(folder) if option == "DATA" else option for option in options]
    arguments = ["export", str(folder / "checkpoint"), "--out", str(folder / "x"), *given]
    result = CliRunner().invoke(app, arguments + (["--split", "val"] if "DATA" in options else []))
    assert result.exit_code == 1
    assert what in result.stderr
    assert not (folder / "x").exists()
