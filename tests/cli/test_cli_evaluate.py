"""`capexport evaluate` scores what `capexport caption` says."""

import json
from pathlib import Path

import numpy as np
import pytest
from checkpoints import SMALL, write_up_down
from typer.testing import CliRunner

from capexport.cli import app
from capexport.export import export

IMAGES = 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """bundle/, features.npz, and captions.json whose references are the bundle's own captions."""
    folder = tmp_path_factory.mktemp("evaluate")
    export(write_up_down(folder / "checkpoint"), folder / "bundle", recipe="fp32")
    rng = np.random.default_rng(0)
    att = rng.random((IMAGES, 5, SMALL.features), np.float32)
    np.savez(folder / "features.npz", **{f"{n}.att": att[n] for n in range(IMAGES)})
    said = run("caption", str(folder / "bundle"), str(folder / "features.npz"))
    records = [
        {"set": "own", "split": "test", "file": f"{n}.jpg", "captions": [one["caption"], "a b"]}
        for n, one in enumerate(said)
    ]
    (folder / "captions.json").write_text(json.dumps({"images": records}))
    return folder


def run(*arguments: str) -> list[dict[str, str]]:
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    document: list[dict[str, str]] = json.loads(result.stdout)
    return document


def test_its_own_captions_score_best(folder: Path) -> None:
    common = ["--data", str(folder), "--features", str(folder / "features.npz")]
    for runtime in ("litert", "onnxruntime"):
        arguments = ["evaluate", str(folder / "bundle"), *common, "--runtime", runtime, "--json"]
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output
        document = json.loads(result.stdout)
        assert document["split"] == "test"
        assert document["images"] == IMAGES
        assert document["metrics"]["BLEU-1"] == pytest.approx(1)
        assert document["metrics"]["ROUGE-L"] == pytest.approx(1)
        assert set(document["metrics"]) | set(document["skipped"]) >= {"METEOR", "SPICE"}


def test_a_bundle_of_features_needs_features(folder: Path) -> None:
    result = CliRunner().invoke(app, ["evaluate", str(folder / "bundle"), "--data", str(folder)])
    assert result.exit_code == 1
    assert "--features" in result.stderr


def test_people_read_a_table(folder: Path) -> None:
    common = ["--data", str(folder), "--features", str(folder / "features.npz")]
    result = CliRunner().invoke(app, ["evaluate", str(folder / "bundle"), *common])
    assert result.exit_code == 0
    assert "CIDEr-D lies between" in result.stdout
    assert "SPICE" in result.stdout


def test_with_its_checkpoint_it_is_compared_with_pytorch(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")  # METEOR's Java takes seconds
    common = ["--data", str(folder), "--features", str(folder / "features.npz")]
    common += ["--checkpoint", str(folder / "checkpoint"), "--layers"]
    arguments = ["evaluate", str(folder / "bundle"), *common]
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert set(document["comparison"]["runtimes"]) == {"litert", "onnxruntime"}
    assert document["comparison"]["layers"]
    table = CliRunner().invoke(app, arguments).stdout
    assert "+0.0000 +- 0.0000" in table
    assert f"{IMAGES} of {IMAGES}" in table
    assert "embedding" in table


@pytest.mark.parametrize("option", [["--layers"], ["--encoder", "x.pth"], ["--calibration", "x"]])
def test_options_of_the_comparison_need_the_checkpoint(folder: Path, option: list[str]) -> None:
    arguments = ["evaluate", str(folder / "bundle"), "--data", str(folder), *option]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert "--checkpoint" in result.stderr
