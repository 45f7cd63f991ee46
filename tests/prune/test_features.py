"""Features of pictures: a file of them holds what a run computes by itself."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from image_nets import small_image_encoder
from PIL import Image
from typer.testing import CliRunner

from capexport.captioner import ImageEncoder, build_captioner
from capexport.capture import capture
from capexport.checkpoint import Checkpoint
from capexport.cli import app
from capexport.compress.static import apply_static
from capexport.errors import InputError
from capexport.evaluate.datasets import read_captions
from capexport.ir.evaluate import evaluate
from capexport.ir.passes import run_passes
from capexport.prune import features
from capexport.prune.features import encoder_features, stored_features
from capexport.prune.initial import untrained
from capexport.prune.int8_encoder import int8_encoder
from capexport.prune.words import decoding_rule, word_list
from capexport.runtime import read_features, read_picture
from capexport.spec.signature import TensorSpec

TIES = 0.01
"""Share of features that may be a step off: products at a tie (docs/decisions/static-int8.md)."""


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch) -> ImageEncoder:
    """A small one in place of the one that a file would hold."""
    encoder = small_image_encoder()
    monkeypatch.setattr(features, "read_image_encoder", lambda path: encoder)
    return encoder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three pictures of noise and their captions."""
    random = np.random.RandomState(0)
    records = []
    for n in range(3):
        pixels = random.randint(0, 256, (30, 40, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{n}.png")
        records.append({"set": "noise", "file": f"{n}.png", "split": "", "captions": ["noise"]})
    (tmp_path / "captions.json").write_text(json.dumps({"images": records}))
    return tmp_path


def test_a_file_holds_what_a_run_computes(data: Path, encoder: ImageEncoder) -> None:
    out = data / "noise.npz"
    arguments = ["features", str(data), "--encoder", "small.pth", "--out", str(out), "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document == {"out": str(out), "images": 3, "regions": 88, "width": encoder.channels}
    captioner = build_captioner(_checkpoint(encoder))
    images = read_captions(data / "captions.json")
    computed = encoder_features(images, encoder, captioner)
    stored = stored_features(images, out, captioner)
    assert set(stored) == set(computed) == {"att", "box"}
    assert torch.equal(stored["att"], computed["att"].float())
    assert torch.equal(stored["box"], computed["box"])


@pytest.mark.parametrize(
    ("out", "what"),
    [("noise.txt", "ends in .npz"), ("there.npz", "exists"), ("no/x.npz", "folder does not exist")],
)
def test_where_it_cannot_be_written(out: str, what: str, data: Path) -> None:
    (data / "there.npz").write_bytes(b"precious")
    arguments = ["features", str(data), "--encoder", "small.pth", "--out", str(data / out)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert what in result.stderr
    assert (data / "there.npz").read_bytes() == b"precious"


def test_a_broken_picture_leaves_no_file(data: Path, encoder: ImageEncoder) -> None:
    (data / "2.png").write_bytes(b"no picture")
    arguments = ["features", str(data), "--encoder", "small.pth", "--out", str(data / "noise.npz")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert "2.png" in result.stderr
    assert not list(data.glob("*.npz"))


def _checkpoint(encoder: ImageEncoder) -> Checkpoint:
    words = word_list(["noise"], 1)
    sizes = {"d_model": 16, "dim_feedforward": 16, "num_heads": 2, "num_layers": 1}
    config = {"att_feat_size": encoder.channels, "vocab_size": len(words), **sizes}
    return untrained("relation_transformer", config, words, decoding_rule(5, 1), 0)


def test_int8_features_are_those_of_the_int8_graph(data: Path, encoder: ImageEncoder) -> None:
    images = [read_picture(data / f"{n}.png", encoder.image).pixels for n in range(3)]
    image = TensorSpec("image", encoder.image.shape, "uint8")
    wanted = TensorSpec("features", (encoder.grid[0] * encoder.grid[1], encoder.channels))
    graph = run_passes(capture(encoder.module, "encoder", [image], [wanted]))
    oracle = apply_static(graph, [{"image": one} for one in images])
    module = int8_encoder(encoder, data).module
    for one in images:
        exact = evaluate(oracle, {"image": one})["features"]
        found = module(torch.from_numpy(one))[0].numpy()
        assert np.mean(~np.isclose(found, exact, rtol=1e-6)) <= TIES
        assert not np.allclose(found, encoder.module(torch.from_numpy(one))[0].detach())


def test_the_command_writes_int8_features(data: Path, encoder: ImageEncoder) -> None:
    arguments = ["features", str(data), "--encoder", "small.pth"]
    for kind, more in {"float": [], "int8": ["--calibration", str(data)]}.items():
        result = CliRunner().invoke(app, [*arguments, "--out", str(data / f"{kind}.npz"), *more])
        assert result.exit_code == 0, result.output
    exact, rounded = (read_features(data / f"{kind}.npz") for kind in ("float", "int8"))
    assert list(exact) == list(rounded)
    for name, one in exact.items():
        error = np.linalg.norm(rounded[name].att - one.att) / np.linalg.norm(one.att)
        assert 0 < error < 0.1


def test_without_pictures_there_are_no_scales(encoder: ImageEncoder, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        int8_encoder(encoder, tmp_path)
