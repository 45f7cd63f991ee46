"""The whole way: a checkpoint and captions on disk become a sparse checkpoint on disk."""

import json
from pathlib import Path

import numpy as np
import pytest
from tiny_training import CAPTIONS, LENGTH, REGIONS, tiny_checkpoint, tiny_examples
from typer.testing import CliRunner

from capexport.checkpoint import read_checkpoint, write_checkpoint
from capexport.cli import app
from capexport.errors import InputError
from capexport.prune.run import Target, prune
from capexport.prune.training import Plan

PLAN = Plan(epochs=2, batch=4)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """checkpoint/, captions.json and features.npz of the tiny model's twelve images."""
    write_checkpoint(tmp_path / "checkpoint", tiny_checkpoint())
    names = [f"{n}.jpg" for n in range(12)]
    records = [
        {"set": "tiny", "split": "train", "file": name, "captions": [CAPTIONS[n % 4]] * 2}
        for n, name in enumerate(names)
    ]
    (tmp_path / "captions.json").write_text(json.dumps({"images": records}))
    att = tiny_examples().inputs["att"].numpy()
    np.savez(tmp_path / "features.npz", **{f"{n}.att": att[n] for n in range(12)})
    return tmp_path


@pytest.mark.parametrize("method", ["supermask", "gradual", "oneshot"])
def test_the_command_line(method: str, folder: Path) -> None:
    arguments = [str(folder / "checkpoint"), "--data", str(folder), "--out", str(folder / "sparse")]
    arguments = ["prune", *arguments, "--features", str(folder / "features.npz")]
    arguments += ["--method", method, "--sparsity", "0.5", "--epochs", "2", "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["sparsity"] == pytest.approx(0.5, abs=0.01)
    assert read_checkpoint(folder / "sparse").statistics()["sparsity"] == document["sparsity"]
    assert not list(folder.glob("*.state*"))


def test_inputs_come_from_one_place(folder: Path) -> None:
    with pytest.raises(InputError, match="image encoder or from a features file"):
        prune(folder / "checkpoint", folder, folder / "out", Target("oneshot", 0.5), PLAN)


def test_images_need_features(folder: Path) -> None:
    features = folder / "other.npz"
    np.savez(features, **{"0.att": np.ones((REGIONS, LENGTH), np.float32)})
    with pytest.raises(InputError, match=r"no features of 1\.jpg"):
        prune(
            *(folder / "checkpoint", folder, folder / "out", Target("oneshot", 0.5), PLAN),
            features=features,
        )
    assert not (folder / "out").exists()
