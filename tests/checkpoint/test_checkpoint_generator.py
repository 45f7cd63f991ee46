"""The generator of test checkpoints: deterministic, and runnable as a program."""

import subprocess
import sys
from pathlib import Path

import checkpoints
import numpy as np
import pytest

from capexport.checkpoint import read_checkpoint


def test_program_writes_checkpoint_and_inputs(tmp_path: Path) -> None:
    command = [sys.executable, checkpoints.__file__, str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True)
    checkpoint = read_checkpoint(tmp_path / "checkpoint")
    arrays = np.load(tmp_path / "features.npz")
    regions = [arrays[name].shape[0] for name in arrays.files if name.endswith(".att")]
    assert 1 in regions
    assert len(set(regions)) == len(regions) > 2
    for name in arrays.files:
        assert arrays[name].dtype == np.float32
        if not name.endswith(".box"):
            assert arrays[name].shape[-1] == checkpoint.config["att_feat_size"]


def test_boxes_are_ordered_and_relative(tmp_path: Path) -> None:
    arrays = np.load(checkpoints.write_features(tmp_path / "features.npz"))
    for name in arrays.files:
        if name.endswith(".box"):
            x0, y0, x1, y1 = arrays[name].T
            assert ((x0 >= 0) & (x0 <= x1) & (x1 <= 1)).all()
            assert ((y0 >= 0) & (y0 <= y1) & (y1 <= 1)).all()


def test_one_seed_one_model(tmp_path: Path) -> None:
    models = [
        read_checkpoint(checkpoints.write_up_down(tmp_path / str(number), seed=seed))
        for number, seed in enumerate((1, 1, 2))
    ]
    weights = [model.tensors["logit.weight"] for model in models]
    assert weights[0].equal(weights[1])
    assert not weights[0].equal(weights[2])


def test_without_arguments_it_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert checkpoints.main([]) == 2
    assert "OUT_FOLDER" in capsys.readouterr().err
