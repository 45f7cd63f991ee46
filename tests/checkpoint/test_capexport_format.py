"""capexport's own checkpoints: written and read again, and refused when damaged."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from encoder_weights import random_state
from random_checkpoints import random_checkpoint

from capexport.captioner import (
    ARCHITECTURES,
    build_captioner,
    own_image_encoder,
    with_image_encoder,
)
from capexport.captioner.encoders import expected_shapes
from capexport.checkpoint import Checkpoint, Limits, read_checkpoint, write_checkpoint
from capexport.errors import CheckpointError, InputError, UnsupportedError
from capexport.spec.image import BILINEAR, ImageSpec
from capexport.spec.vocabulary import Radix, Vocabulary

SAVED = ("architecture", "config", "vocabulary", "decoding", "image_encoder", "image")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_checkpoint(tmp_path / "c", random_checkpoint("att2in2"))
    return tmp_path / "c"


def assert_same(got: Checkpoint, wanted: Checkpoint) -> None:
    for part in SAVED:
        assert getattr(got, part) == getattr(wanted, part)
    assert set(got.tensors) == set(wanted.tensors)
    for name, tensor in wanted.tensors.items():
        torch.testing.assert_close(got.tensors[name], tensor, rtol=0, atol=0)


OF_PICTURES = ("blip", "git", "vit_gpt2")


def test_a_captioner_of_pictures_is_refused(tmp_path: Path) -> None:
    checkpoint = replace(random_checkpoint("att2in2"), image=ImageSpec(24, 24, None))
    with pytest.raises(UnsupportedError, match="captioner of pictures"):
        write_checkpoint(tmp_path / "c", checkpoint)
    assert not (tmp_path / "c").exists()


def with_scene_net() -> Checkpoint:
    """An Att2in2 of cells of 98 numbers with a random image encoder of its own."""
    captioner = random_checkpoint("att2in2", att_feat_size=98)
    weights = random_state(expected_shapes("scene_net"))
    own = {f"image_encoder.{name}": tensor for name, tensor in weights.items()}
    return replace(
        captioner,
        tensors={**captioner.tensors, **own},
        image_encoder="scene_net",
        image=ImageSpec(80, 48, short_side=None),
    )


def test_an_image_encoder_of_its_own_comes_back(tmp_path: Path) -> None:
    written = with_scene_net()
    write_checkpoint(tmp_path / "c", written)
    read = read_checkpoint(tmp_path / "c")
    assert_same(read, written)
    captioner = build_captioner(read)
    assert captioner.image == written.image
    features = written.without_image_encoder()
    expected = with_image_encoder(build_captioner(features), own_image_encoder(written))
    image = torch.randint(0, 256, (1, 80, 48, 3), dtype=torch.uint8)
    for got, wanted in zip(captioner.encoder(image), expected.encoder(image), strict=True):
        torch.testing.assert_close(got, wanted, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image": None}, "image encoder has no rule"),
        ({"image_encoder": None}, "image encoder has no name"),
        ({"image": {"height": 96}}, "width is missing"),
        ({"image": {"height": 0, "width": 1, "short_side": None, "filter": "?"}}, "impossible"),
        ({"image": {"height": 5000, "width": 1, "short_side": None, "filter": BILINEAR}}, "imposs"),
    ],
)
def test_half_an_image_encoder_is_refused(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    write_checkpoint(tmp_path / "c", with_scene_net())
    config = tmp_path / "c" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), **change}))
    refused(tmp_path / "c", message)


def test_a_rule_for_pictures_needs_the_encoders_weights(folder: Path) -> None:
    rule = {"height": 96, "width": 96, "short_side": 96, "filter": BILINEAR}
    document = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**document, "image": rule}))
    refused(folder, "image encoder has no weights")


def test_an_unknown_image_encoder_cannot_be_built() -> None:
    with pytest.raises(UnsupportedError, match="no image encoder 'eye'"):
        build_captioner(replace(with_scene_net(), image_encoder="eye"))


def test_version_1_has_no_image_encoder(folder: Path) -> None:
    document = json.loads((folder / "config.json").read_text())
    del document["image"]
    (folder / "config.json").write_text(json.dumps({**document, "version": 1}))
    assert read_checkpoint(folder).image is None


@pytest.mark.parametrize("architecture", sorted(set(ARCHITECTURES) - set(OF_PICTURES)))
def test_every_architecture_comes_back(tmp_path: Path, architecture: str) -> None:
    written = random_checkpoint(architecture, sparsity=0.5)
    write_checkpoint(tmp_path / "c", written)
    for path in (tmp_path / "c", tmp_path / "c" / "model.safetensors"):
        assert_same(read_checkpoint(path), written)
    assert build_captioner(read_checkpoint(tmp_path / "c")).decoding == written.decoding


def test_a_zip_is_read_as_its_folder_is(folder: Path, tmp_path: Path) -> None:
    zipped = shutil.make_archive(str(tmp_path / "z"), "zip", folder.parent, folder.name)
    assert_same(read_checkpoint(Path(zipped)), read_checkpoint(folder))


def test_the_same_checkpoint_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "again", read_checkpoint(folder))
    for file in folder.iterdir():
        assert (tmp_path / "again" / file.name).read_bytes() == file.read_bytes()


def test_words_of_several_tokens(tmp_path: Path) -> None:
    radix = Vocabulary(("a", "b"), Radix(base=37, digits=2))
    written = replace(random_checkpoint("att2in2"), vocabulary=radix)
    write_checkpoint(tmp_path / "c", written)
    assert read_checkpoint(tmp_path / "c").vocabulary == radix


def test_masked_weights_are_zero_and_kept_in_the_file(tmp_path: Path) -> None:
    written = random_checkpoint("newfc")
    name = "logit.weight"
    hidden = written.tensors[name].clone()
    hidden[0] = torch.inf  # a product with the mask would be NaN
    mask = torch.rand(hidden.shape, generator=torch.Generator().manual_seed(1)) < 0.1
    mask[0] = False
    tensors = {**written.tensors, name: hidden}
    write_checkpoint(tmp_path / "c", replace(written, tensors=tensors), masks={name: mask})
    read = read_checkpoint(tmp_path / "c")
    torch.testing.assert_close(read.tensors[name], torch.where(mask, hidden, 0.0))
    assert set(read.tensors) == set(tensors)
    stored = safetensors.torch.load_file(tmp_path / "c" / "model.safetensors")
    torch.testing.assert_close(stored[name], hidden)


def test_a_mask_needs_its_weight(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no weight"):
        write_checkpoint(
            tmp_path / "c", random_checkpoint("newfc"), masks={"logit.weight": torch.ones(2)}
        )
    assert not (tmp_path / "c").exists()


def test_shared_tensors_are_written(tmp_path: Path) -> None:
    checkpoint = random_checkpoint("newfc", input_encoding_size=16)
    shared = checkpoint.tensors["embed.weight"]
    tied = replace(checkpoint, tensors={**checkpoint.tensors, "logit.weight": shared})
    write_checkpoint(tmp_path / "c", tied)
    assert_same(read_checkpoint(tmp_path / "c"), tied)


def test_half_precision_is_read_as_float32(folder: Path) -> None:
    file = folder / "model.safetensors"
    halved = {name: t.half() for name, t in safetensors.torch.load_file(file).items()}
    safetensors.torch.save_file(halved, file)
    for name, tensor in read_checkpoint(folder).tensors.items():
        torch.testing.assert_close(tensor, halved[name].float(), rtol=0, atol=0)


def test_only_its_own_kind_is_replaced(folder: Path, tmp_path: Path) -> None:
    other = random_checkpoint("newfc")
    with pytest.raises(InputError, match="exists already"):
        write_checkpoint(folder, other)
    write_checkpoint(folder, other, force=True)
    assert_same(read_checkpoint(folder), other)
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="not replaced"):
        write_checkpoint(folder, other, force=True)
    with pytest.raises(InputError, match="parent folder"):
        write_checkpoint(tmp_path / "no" / "c", other)


def refused(
    folder: Path,
    what: str,
    kind: type[Exception] = CheckpointError,
    limits: Limits | None = None,
) -> None:
    with pytest.raises(kind, match=what):
        read_checkpoint(folder, limits=limits or Limits())


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda d: d.update(format="x"), "the format is not"),
        (lambda d: d.update(version="1"), "version is '1'"),
        (lambda d: d.update(version=True), "version is 'True'"),
        (lambda d: d.pop("architecture"), "architecture is missing"),
        (lambda d: d.update(config=[]), "config is"),
        (lambda d: d.update(radix={"base": 1, "digits": 2}), "makes no words"),
        (lambda d: d.update(continuation=None), "continuation is 'None'"),
        (lambda d: d.update(image_encoder=3), "image_encoder is '3'"),
        (lambda d: d["decoding"].pop("eos"), "eos is missing"),
        (lambda d: d["decoding"].update(eos=-1), "impossible"),
        (lambda d: d["decoding"].update(beam=0), "impossible"),
        (lambda d: d["decoding"].update(max_length=10**9), "impossible"),
        (lambda d: d["decoding"].update(suppress_unk=1), "suppress_unk is '1'"),
        (lambda d: d["decoding"].update(bos=40), "token 40 is beyond the 40"),
    ],
)
def test_a_configuration_that_makes_no_sense(
    folder: Path, change: Callable[[dict[str, Any]], object], what: str
) -> None:
    document = json.loads((folder / "config.json").read_text())
    change(document)
    (folder / "config.json").write_text(json.dumps(document))
    refused(folder, what)


def test_a_newer_version_is_refused(folder: Path) -> None:
    document = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**document, "version": 4}))
    refused(folder, "version 4", UnsupportedError)


@pytest.mark.parametrize("size", [0, 7, 100, 5000])
def test_weights_cut_short(folder: Path, size: int) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:size])
    refused(folder, "the weights are damaged")


@pytest.mark.parametrize(
    ("name", "tensor", "what"),
    [
        ("logit.weight", torch.zeros(2, dtype=torch.int64), "the weight is torch.int64"),
        ("logit.bias", torch.full([40], torch.nan), "NaN or infinite"),
        ("x_pruning_mask", torch.ones(2, dtype=torch.uint8), "no weight of its shape"),
        ("logit.bias_pruning_mask", torch.ones(40), "uint8 0 and 1"),
        ("logit.bias_pruning_mask", torch.full([40], 2, dtype=torch.uint8), "uint8 0 and 1"),
    ],
)
def test_tensors_that_make_no_sense(
    folder: Path, name: str, tensor: torch.Tensor, what: str
) -> None:
    file = folder / "model.safetensors"
    safetensors.torch.save_file({**safetensors.torch.load_file(file), name: tensor}, file)
    refused(folder, what)


def test_limits_hold(folder: Path) -> None:
    refused(folder, "more than 100", limits=Limits(weights_bytes=100))
    refused(folder, "more than 10 elements", limits=Limits(elements=10))


def test_missing_and_damaged_files(folder: Path) -> None:
    (folder / "vocabulary.json").write_text('["a", 3]')
    refused(folder, "no array of words")
    (folder / "vocabulary.json").unlink()
    refused(folder, "vocabulary.json is missing")
    (folder / "config.json").write_text("{")
    refused(folder, "not JSON")


def test_another_file_of_weights_beside_it_is_no_choice(folder: Path) -> None:
    torch.save({"x": torch.zeros(1)}, folder / "model.pth")
    refused(folder / "model.pth", "is not the weights of this checkpoint")


def test_a_configuration_without_a_size_is_refused_by_the_captioner(folder: Path) -> None:
    checkpoint = read_checkpoint(folder)
    for wrong in (None, 0, True, "16"):
        config = {**checkpoint.config, "rnn_size": wrong}
        with pytest.raises(CheckpointError, match="rnn_size is"):
            build_captioner(replace(checkpoint, config=config))
