"""A recipe and drawn scenes become a captioner with an image encoder of its own."""

import json
import math
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from encoder_weights import random_state
from torch import nn
from typer.testing import CliRunner

from capexport.captioner import ARCHITECTURES, build_captioner
from capexport.captioner.encoders import expected_shapes
from capexport.captioner.encoders.training import batch_features
from capexport.captioner.search import greedy
from capexport.checkpoint import Checkpoint, read_checkpoint
from capexport.cli import app
from capexport.errors import InputError
from capexport.evaluate.datasets import read_captions
from capexport.prune.forced import forced_log_probs
from capexport.prune.from_recipe import train_recipe
from capexport.prune.initial import untrained, with_untrained_encoder
from capexport.prune.pictures import picture_inputs
from capexport.prune.run import Target, prune, trainable_captioner
from capexport.prune.training import Plan
from capexport.prune.words import decoding_rule, word_list
from capexport.scenes import write_scenes

RECIPE = """
architecture = "soft_attention"
image_encoder = "scene_net"
[config]
rnn_name = "GRU"
rnn_size = 32
attn_size = 16
rnn_word_size = 16
[words]
max_length = 18
[training]
epochs = {epochs}
batch = {batch}
captions = 1
learning_rate = 1e-2
dropout = {dropout}
save_every = 2
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_scenes(tmp_path / "scenes", {"train": 6}, seed=1)
    (tmp_path / "recipe.toml").write_text(RECIPE.format(epochs=2, batch=2, dropout=0.3))
    return tmp_path


def trained(folder: Path, out: str, **options: object) -> Checkpoint:
    return train_recipe(folder / "recipe.toml", folder / "scenes", folder / out, **options)


def said(checkpoint: Checkpoint, folder: Path) -> list[str]:
    captioner, images = build_captioner(checkpoint), read_captions(folder / "scenes")
    assert checkpoint.image is not None
    texts = []
    for pixels in picture_inputs(images, checkpoint.image)["image"]:
        tokens, _ = greedy(captioner, pixels)
        texts.append(checkpoint.vocabulary.text(tokens, checkpoint.decoding))
    return texts


def test_a_captioner_learns_what_it_is_shown(folder: Path) -> None:
    """Each picture's one caption comes back, though batch norm is folded as in an export."""
    (folder / "recipe.toml").write_text(RECIPE.format(epochs=70, batch=3, dropout=0.0))
    file = folder / "scenes" / "captions.json"
    records = json.loads(file.read_text())["images"][:3]
    captions = [record["captions"][0] for record in records]
    records = [{**record, "captions": record["captions"][:1]} for record in records]
    file.write_text(json.dumps({"images": records}))
    assert said(trained(folder, "out"), folder) == captions


def test_the_command_line(folder: Path) -> None:
    arguments = [str(folder / "recipe.toml"), "--data", str(folder / "scenes")]
    arguments += ["--out", str(folder / "out"), "--storage", "float16", "--json"]
    result = CliRunner().invoke(app, ["train", *arguments])
    assert result.exit_code == 0, result.output
    document, read = json.loads(result.stdout), read_checkpoint(folder / "out")
    assert document["parameters"] == read.parameters
    assert document["bytes"] == read.bytes_on_disk < 2.5 * read.parameters
    assert read.image_encoder == "scene_net"
    assert not list(folder.glob("*.state*"))


def test_a_killed_run_ends_like_one_that_was_not(folder: Path) -> None:
    whole = trained(folder, "whole")

    def kill(text: str) -> None:
        if text.startswith("step 5 "):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(folder, "out", progress=kill)
    assert not (folder / "out").exists()
    resumed = trained(folder, "out", progress=lambda text: None)
    assert list(resumed.tensors) == list(whole.tensors)
    for name, tensor in whole.tensors.items():
        assert torch.equal(resumed.tensors[name], tensor), name


def test_the_state_of_another_recipe_is_refused(folder: Path) -> None:
    def kill(text: str) -> None:
        if text.startswith("step 3 "):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(folder, "out", progress=kill)
    changed = RECIPE.format(epochs=2, batch=2, dropout=0.3).replace("GRU", "LSTM")
    (folder / "recipe.toml").write_text(changed)
    with pytest.raises(InputError, match="another run"):
        trained(folder, "out")


def test_pruning_leaves_the_image_encoder_as_it_is(folder: Path) -> None:
    dense = trained(folder, "dense")
    plan, target = Plan(epochs=1, batch=3), Target("gradual", 0.75)
    arguments = (folder / "dense", folder / "scenes", folder / "sparse", target, plan)
    with pytest.raises(InputError, match="image encoder or from a features file") as caught:
        prune(*arguments, encoder="mobilenet.npz")
    assert "its own image encoder" in caught.value.hint
    pruned = prune(*arguments)
    assert pruned.statistics()["sparsity"] == pytest.approx(0.75, abs=0.01)
    weights = pruned.image_encoder_weights
    assert list(weights) == list(dense.image_encoder_weights)
    for name, tensor in dense.image_encoder_weights.items():
        assert torch.equal(weights[name], tensor)
    assert pruned.image == dense.image


def plain_scene_net() -> nn.Sequential:
    widths = ((3, 16), (16, 32), (32, 64), (64, 96))
    return nn.Sequential(
        *[
            nn.Sequential(
                OrderedDict(
                    conv=nn.Conv2d(before, after, 3, 2, 1, bias=False),
                    norm=nn.BatchNorm2d(after),
                    activation=nn.ReLU6(),
                )
            )
            for before, after in widths
        ]
    )


def test_an_encoder_is_trained_as_torch_trains_its_layers() -> None:
    state = random_state(expected_shapes("scene_net"))
    plain = plain_scene_net().train()
    plain.load_state_dict({k.removeprefix("layers."): t for k, t in state.items()}, strict=False)
    ours = {name: tensor.clone() for name, tensor in state.items()}
    trainable = [name for name in ours if "running" not in name]
    for name in trainable:
        ours[name].requires_grad_()
    images = torch.randint(0, 256, (5, 64, 48, 3), dtype=torch.uint8)
    features = batch_features("scene_net", ours, images)[..., :96]
    expected = plain(images.permute(0, 3, 1, 2) / 127.5 - 1).permute(0, 2, 3, 1)
    torch.testing.assert_close(features, expected, rtol=1e-4, atol=1e-4)
    features.square().sum().backward()
    expected.square().sum().backward()
    theirs = dict(plain.named_parameters())
    for name in trainable:
        wanted = theirs[name.removeprefix("layers.")].grad
        torch.testing.assert_close(
            ours[name].grad, wanted, rtol=1e-3, atol=1e-3 * float(wanted.abs().max())
        )
    for name, buffer in plain.named_buffers():
        if "running" in name:
            torch.testing.assert_close(ours[f"layers.{name}"], buffer)


SIZES = {
    "rnn_size": 16, "att_hid_size": 4, "input_encoding_size": 4, "rnn_name": "LSTM",
    "attn_size": 4, "rnn_word_size": 4, "rnn_type": "lstm", "d_model": 16,
    "dim_feedforward": 8, "num_heads": 2, "num_layers": 1,
}  # fmt: skip


@pytest.mark.parametrize(
    "architecture", [n for n, a in ARCHITECTURES.items() if not a.takes_pictures]
)
def test_every_architecture_of_features_can_start_from_nothing(architecture: str) -> None:
    words = word_list(["a house"], 1)
    config = {**SIZES, "att_feat_size": 6, "fc_feat_size": 6, "vocab_size": len(words)}
    start = untrained(architecture, config, words, decoding_rule(4, 1), 0)
    captioner = trainable_captioner(start)
    att = torch.rand(2, 3, 6)
    given = {"att": att, "fc": att.mean(1, keepdim=True), "box": torch.rand(2, 3, 4).sort(-1)[0]}
    log_probs = forced_log_probs(captioner, given, torch.tensor([[[2, 4, 5]]] * 2))
    assert log_probs.shape == (2, 1, 3, len(words))
    assert log_probs.isfinite().all()
    assert not torch.equal(log_probs[0, 0, 0], log_probs[0, 0, 1])  # words and places matter


def test_places_of_a_transformer_are_sines_and_cosines() -> None:
    words = word_list(["a house"], 1)
    config = {**SIZES, "att_feat_size": 6, "vocab_size": len(words)}
    start = untrained("relation_transformer", config, words, decoding_rule(4, 1), 0)
    (places,) = [t for n, t in start.tensors.items() if n.endswith(".pe")]
    for place, column in ((0, 0), (3, 0), (3, 1), (7, 6), (7, 7)):
        angle = place / 10_000 ** ((column - column % 2) / 16)
        expected = math.cos(angle) if column % 2 else math.sin(angle)
        assert float(places[0, place, column]) == pytest.approx(expected, abs=1e-6)


def test_any_encoder_with_names_can_be_trained() -> None:
    words = word_list(["a house"], 1)
    config = {
        "rnn_size": 4, "input_encoding_size": 4, "att_hid_size": 4,
        "att_feat_size": 576, "fc_feat_size": 576, "vocab_size": len(words),
    }  # fmt: skip
    start = untrained("up_down_lstm", config, words, decoding_rule(4, 1), 0)
    weights = with_untrained_encoder(start, "mobilenet_v3_small", 0).image_encoder_weights
    features = batch_features("mobilenet_v3_small", weights, torch.zeros(2, 64, 64, 3).byte())
    assert features.shape == (2, 2, 2, 576)
    assert features.isfinite().all()
