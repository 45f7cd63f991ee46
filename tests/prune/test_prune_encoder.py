"""Image encoders pruned layer by layer, and the file that they are written to."""

import copy
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from encoder_weights import random_state
from torch import Tensor, nn

from capexport.captioner.encoders import (
    build_image_encoder,
    expected_shapes,
    folded_weights,
    read_image_encoder,
)
from capexport.captioner.encoders.convolution import Convolution, Layer
from capexport.captioner.encoders.image_encoder import HALF, ImageToFeatures
from capexport.captioner.encoders.inverted_residual import inverted_residual
from capexport.checkpoint.image_encoder import read_encoder_file, write_image_encoder
from capexport.errors import CheckpointError, InputError, UnsupportedError
from capexport.prune.encoder import sparse_module

CHANNELS = 24


def tiny_net(seed: int = 0) -> nn.Module:
    """A strided 3x3 convolution, two blocks of MobileNet-V2, a strided 1x1 convolution."""
    generator = torch.Generator().manual_seed(seed)

    def take(layer: Layer) -> Convolution:
        spread = (2 / layer.weight_shape[1] / layer.kernel**2) ** 0.5
        weight = torch.randn(layer.weight_shape, generator=generator) * spread
        # rows of very different size, as folded batch norm leaves them
        size = torch.logspace(-1, 1, layer.outputs)[
            torch.randperm(layer.outputs, generator=generator)
        ]
        bias = torch.randn(layer.outputs, generator=generator) * 0.1
        return Convolution(layer, weight * size[:, None, None, None], bias, same=True)

    blocks = [
        inverted_residual(
            take,
            tuple((f"block{n}.{i}", "") for i in range(3)),
            (8, 32, 8),
            kernel=3,
            stride=1,
            activation="relu6",
        )
        for n in range(2)
    ]
    stem = take(Layer("stem", 3, 8, kernel=3, stride=2, activation="relu6"))
    last = take(Layer("last", 8, CHANNELS, stride=2))
    return ImageToFeatures(nn.Sequential(stem, *blocks, last), HALF, CHANNELS).eval()


def pixels(count: int, seed: int = 0) -> Tensor:
    """Smooth noise: neighbours are alike, as in a photograph."""
    coarse = torch.rand(count, 3, 4, 4, generator=torch.Generator().manual_seed(seed)) * 255
    smooth = nn.functional.interpolate(coarse, (24, 24), mode="bilinear")
    return smooth.permute(0, 2, 3, 1).round().to(torch.uint8)


def error(dense: nn.Module, sparse: nn.Module) -> float:
    """Of the features of other pictures, relative to the dense net's."""
    with torch.no_grad():
        wanted, got = (net(pixels(4, seed=1))[0] for net in (dense, sparse))
    return float((got - wanted).square().mean() / wanted.square().mean())


def pointwise(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {n: t for n, t in weights.items() if t.ndim == 4 and t.shape[1] > 3}


def test_the_share_is_reached_by_1x1_convolutions_alone() -> None:
    dense = tiny_net()
    before, after = (folded_weights(m) for m in (dense, sparse_module(dense, pixels(6), 0.4)))
    changed = pointwise(after)
    assert len(changed) == 5
    zeros = sum(int((t == 0).sum()) for t in changed.values())
    # every layer rounds the number of its weights
    assert zeros == pytest.approx(0.4 * sum(t.numel() for t in changed.values()), abs=3)
    for name in ("stem.weight", "stem.bias", "block0.1.weight", "block1.1.weight"):
        assert torch.equal(before[name], after[name]), name


def test_fitted_weights_are_far_better_than_the_old_ones_under_the_same_masks() -> None:
    dense = tiny_net()
    sparse = sparse_module(dense, pixels(16), 0.5)
    masked = copy.deepcopy(dense)
    with torch.no_grad():
        fitted = folded_weights(sparse)
        for name, weight in pointwise(folded_weights(masked)).items():
            weight *= fitted[name] != 0
    assert error(dense, sparse) < 0.5 * error(dense, masked)


def test_nothing_to_prune_changes_nothing() -> None:
    dense = tiny_net()
    assert error(dense, sparse_module(dense, pixels(2), 0.0)) == 0


def test_an_interrupted_run_goes_on() -> None:
    dense, kept = tiny_net(), []
    whole = folded_weights(
        sparse_module(dense, pixels(4), 0.5, save=lambda done: kept.append(dict(done)))
    )
    again: list[str] = []
    resumed = sparse_module(dense, pixels(4), 0.5, done=kept[2], progress=again.append)
    assert len(kept) == 5
    assert len(again) == 2
    for name, tensor in folded_weights(resumed).items():
        assert torch.equal(tensor, whole[name]), name


def test_an_encoder_without_1x1_convolutions_is_refused() -> None:
    net = ImageToFeatures(nn.Sequential(), HALF, 3)
    with pytest.raises(UnsupportedError, match="no 1x1 convolution"):
        sparse_module(net, pixels(1), 0.5)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """scene_net with random weights, in the trainer's form and in ours."""
    torch.save(random_state(expected_shapes("scene_net")), tmp_path / "dense.pth")
    weights = folded_weights(read_image_encoder(str(tmp_path / "dense.pth")).module)
    write_image_encoder(tmp_path / "own.safetensors", "scene_net", weights)
    return tmp_path


def test_the_file_names_its_encoder_and_gives_the_same_features(written: Path) -> None:
    dense, own = (read_image_encoder(str(written / f)) for f in ("dense.pth", "own.safetensors"))
    assert (own.name, own.file) == ("scene_net", "own.safetensors")
    image = torch.from_numpy(np.random.default_rng(0).integers(0, 256, own.image.shape, np.uint8))
    assert torch.equal(dense.module(image)[0], own.module(image)[0])
    assert read_image_encoder(f"scene_net:{written / 'own.safetensors'}").name == "scene_net"


def test_storage_rounds_convolutions_and_keeps_biases(written: Path) -> None:
    exact = read_encoder_file(written / "own.safetensors")
    write_image_encoder(written / "half.safetensors", "scene_net", exact.weights, storage="float16")
    half = read_encoder_file(written / "half.safetensors")
    assert half.bytes_on_disk < 0.6 * exact.bytes_on_disk
    for name, weight in exact.weights.items():
        rounded = weight.half().float() if weight.ndim == 4 else weight
        assert torch.equal(half.weights[name], rounded), name


def test_another_name_than_the_files_is_refused(written: Path) -> None:
    with pytest.raises(InputError, match="holds 'scene_net'"):
        read_image_encoder(f"mobilenet_v2:{written / 'own.safetensors'}")


@pytest.mark.parametrize(
    ("change", "kind", "what"),
    [
        ({"encoder": "no_such_net"}, InputError, "holds 'no_such_net'"),
        ({"extra.weight": torch.ones(1)}, CheckpointError, r"extra\.weight is no weight"),
        ({"layers.0.conv.bias": None}, CheckpointError, r"layers\.0\.conv\.bias is missing"),
        ({"layers.0.conv.bias": torch.ones(2)}, CheckpointError, "is .2., not .16."),
        ({"layers.0.conv.bias": torch.full((16,), torch.nan)}, CheckpointError, "NaN"),
    ],
)
def test_files_that_make_no_sense(
    written: Path, change: dict[str, object], kind: type[Exception], what: str
) -> None:
    weights = dict(read_encoder_file(written / "own.safetensors").weights) | change
    name = str(weights.pop("encoder", "scene_net"))
    tensors = {key: tensor for key, tensor in weights.items() if tensor is not None}
    file = written / "changed.safetensors"
    metadata = {"format": "capexport-image-encoder", "encoder": name}
    safetensors.torch.save_file(tensors, file, metadata)
    with pytest.raises(kind, match=what):
        build_image_encoder(read_encoder_file(file))


@pytest.mark.parametrize("size", [0, 7, 60, 5000])
def test_files_cut_short(written: Path, size: int) -> None:
    file = written / "own.safetensors"
    file.write_bytes(file.read_bytes()[:size])
    with pytest.raises(CheckpointError, match="damaged"):
        read_encoder_file(file)


def test_where_it_may_not_be_written_is_said(written: Path) -> None:
    (written / "folder.safetensors").mkdir()
    for name, what in (
        ("own.safetensors", "exists already"),
        ("folder.safetensors", "exists already"),
        ("sparse.pth", r"as a \.safetensors"),
        ("no/sparse.safetensors", "folder does not exist"),
    ):
        with pytest.raises(InputError, match=what):
            write_image_encoder(written / name, "scene_net", {})
