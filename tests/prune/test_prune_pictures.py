"""`capexport prune` on pictures: the decoder, its image encoder, and both."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from encoder_weights import random_state
from PIL import Image
from tiny_training import CAPTIONS, CONFIG, LENGTH
from typer.testing import CliRunner

from capexport.captioner import build_captioner, with_image_encoder
from capexport.captioner.encoders import expected_shapes, folded_weights, read_image_encoder
from capexport.checkpoint import read_checkpoint, write_checkpoint
from capexport.cli import app
from capexport.prune.initial import untrained
from capexport.prune.words import decoding_rule, word_list

ENCODER, WIDTH, PICTURES = "mobilenet_v3_small", 576, 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """encoder.pth, checkpoint/ that reads its features, captions.json and its pictures."""
    folder = tmp_path_factory.mktemp("pictures")
    torch.save(random_state(expected_shapes(ENCODER)), folder / "encoder.pth")
    words = word_list(CAPTIONS, 1)
    sizes = {"att_feat_size": WIDTH, "fc_feat_size": WIDTH, "vocab_size": len(words)}
    rule = decoding_rule(LENGTH, 2)
    checkpoint = untrained("up_down_lstm", {**CONFIG, **sizes}, words, rule, seed=0)
    write_checkpoint(folder / "checkpoint", checkpoint)
    records = []
    for n in range(PICTURES):
        colours = np.random.default_rng(n).integers(0, 256, (5, 5, 3), np.uint8)
        Image.fromarray(colours).resize((64, 64)).save(folder / f"{n}.png")
        records.append(
            {"set": "s", "split": "train", "file": f"{n}.png", "captions": [CAPTIONS[n]]}
        )
    (folder / "captions.json").write_text(json.dumps({"images": records}))
    return folder


def run(folder: Path, *options: str, status: int = 0) -> Any:
    arguments = ["prune", str(folder / "checkpoint"), "--data", str(folder), *options, "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == status, result.output
    return json.loads(result.stdout) if status == 0 else result.stderr


def test_both_are_pruned_and_fit_together(folder: Path, tmp_path: Path) -> None:
    out, encoder_out = tmp_path / "sparse", tmp_path / "encoder.safetensors"
    options = ["--scope", "both", "--encoder", str(folder / "encoder.pth"), "--out", str(out)]
    options += ["--encoder-out", str(encoder_out), "--encoder-sparsity", "0.6"]
    options += ["--method", "oneshot", "--sparsity", "0.8", "--epochs", "1"]
    document = run(folder, *options, "--storage", "float16")
    assert document["scope"] == "both"
    assert document["sparsity"] == pytest.approx(0.8, abs=0.01)
    assert document["bytes"] == (out / "model.safetensors").stat().st_size
    encoder = document["encoder"]
    assert encoder["name"] == ENCODER
    assert encoder["sparsity"] == pytest.approx(0.6, abs=0.01)
    assert encoder["bytes"] == encoder_out.stat().st_size < (folder / "encoder.pth").stat().st_size
    pruned = read_image_encoder(str(encoder_out))
    dense = read_image_encoder(str(folder / "encoder.pth"))
    weights = folded_weights(dense.module)
    assert all(t.shape == weights[n].shape for n, t in folded_weights(pruned.module).items())
    with_image_encoder(build_captioner(read_checkpoint(out)), pruned)
    assert not list(tmp_path.glob("*.state"))


def test_the_decoder_alone_learns_from_the_encoders_features(folder: Path, tmp_path: Path) -> None:
    options = ["--encoder", str(folder / "encoder.pth"), "--out", str(tmp_path / "sparse")]
    options += ["--method", "oneshot", "--sparsity", "0.5", "--epochs", "1"]
    document = run(folder, *options)
    assert document["sparsity"] == pytest.approx(0.5, abs=0.01)
    assert "encoder" not in document
    before, after = (read_checkpoint(p) for p in (folder / "checkpoint", tmp_path / "sparse"))
    assert not torch.equal(before.tensors["logit.bias"], after.tensors["logit.bias"])


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ([], "--out is missing"),
        (["--scope", "encoder", "--encoder", "E"], "--encoder-out is missing"),
        (["--scope", "encoder", "--encoder-out", "x.safetensors"], "no image encoder to prune"),
        (["--scope", "both", "--out", "x"], "--encoder-out is missing"),
        (["--out", "x", "--encoder-out", "x.safetensors"], "--encoder-out is not written"),
        (["--scope", "encoder", "--out", "x"], "--out is not written"),
    ],
)
def test_outputs_are_those_of_the_scope(folder: Path, options: list[str], what: str) -> None:
    assert what in run(folder, *options, status=1)


def test_an_encoder_of_another_width_is_seen_before_training(folder: Path, tmp_path: Path) -> None:
    torch.save(random_state(expected_shapes("scene_net")), tmp_path / "other.pth")
    options = ["--scope", "encoder", "--encoder", str(tmp_path / "other.pth")]
    error = run(folder, *options, "--encoder-out", str(tmp_path / "x.safetensors"), status=1)
    assert "features of 576 numbers, scene_net gives 98" in error
