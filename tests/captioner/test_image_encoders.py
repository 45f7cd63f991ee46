"""Image encoders against torchvision's and timm's own features, and what their files may hold."""

from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from encoder_golden import CHANNEL_STEP, SIZES, random_image
from encoder_weights import listed_file, random_state, state_file
from torch import Tensor, nn
from torch.nn import functional as F

from capexport.captioner.encoders import (
    ENCODERS,
    build_image_encoder,
    expected_shapes,
    parse_encoder,
)
from capexport.captioner.encoders.convolution import Convolution, Layer, fold_batch_norm
from capexport.captioner.encoders.image_encoder import HALF, IMAGENET, ImageToFeatures
from capexport.captioner.encoders.sources import keys_of
from capexport.checkpoint.image_encoder import EncoderFile
from capexport.errors import CheckpointError, InputError
from capexport.spec.image import ImageSpec

GOLDEN = Path(__file__).with_name("encoder_golden.npz")
TOLERANCE = 3e-5
"""Of the largest feature. Folded batch norm rounds each of up to 104 layers at 2**-24 anew; the
largest difference seen is 1e-5."""
OURS = {"scene_net"}
LISTED = [name for name, encoder in ENCODERS.items() if encoder.listed]
LISTED_LAYERS = {"tf_mobilenet_v1": 27, "tf_mobilenet_v2": 52}


def square(size: int) -> ImageSpec:
    return ImageSpec(size, size, short_side=None)


def test_every_encoder_has_golden_features_or_an_oracle_file() -> None:
    assert set(ENCODERS) == {*SIZES, *LISTED, *OURS}


@torch.no_grad()
def test_scene_net_sees_by_four_plain_layers_of_torch() -> None:
    state = random_state(expected_shapes("scene_net"))
    layers = [
        nn.Conv2d(i, o, 3, 2, 1, bias=False) for i, o in ((3, 16), (16, 32), (32, 64), (64, 96))
    ]
    plain = nn.Sequential(
        *[
            nn.Sequential(
                OrderedDict(conv=conv, norm=nn.BatchNorm2d(conv.out_channels), act=nn.ReLU6())
            )
            for conv in layers
        ]
    ).eval()
    plain.load_state_dict({k.removeprefix("layers."): t for k, t in state.items()}, strict=False)
    image = torch.from_numpy(random_image(96))
    (features,) = build_image_encoder(state_file(state)).module(image)
    maps = plain(image.permute(0, 3, 1, 2) / 127.5 - 1)
    expected = maps[0].flatten(1).T
    assert features.shape == (36, 98)
    bound = TOLERANCE * float(expected.max())
    torch.testing.assert_close(features[:, :96], expected, rtol=0, atol=bound)


@torch.no_grad()
def test_scene_net_says_where_each_cell_lies() -> None:
    state = state_file(random_state(expected_shapes("scene_net")))
    (features,) = build_image_encoder(state, image=ImageSpec(32, 48, None)).module(
        torch.from_numpy(random_image(48)[:, :32])
    )
    across, down = (-2 / 3, 0, 2 / 3), (-1 / 2, 1 / 2)
    expected = torch.tensor([(x, y) for y in down for x in across])
    torch.testing.assert_close(features[:, 96:], expected)


@pytest.mark.parametrize(("name", "size"), [(n, s) for n, sizes in SIZES.items() for s in sizes])
@torch.no_grad()
def test_features_equal_the_original_implementation(name: str, size: int) -> None:
    expected = np.load(GOLDEN)[f"{name}.{size}"]
    weights = state_file(random_state(expected_shapes(name)))
    encoder = build_image_encoder(weights, name, image=square(size))
    (features,) = encoder.module(torch.from_numpy(random_image(size)))
    assert encoder.grid[0] * encoder.grid[1] == len(expected)
    assert features.shape == (len(expected), ENCODERS[name].channels)
    worst = np.abs(features[:, ::CHANNEL_STEP].numpy() - expected).max()
    assert worst <= TOLERANCE * np.abs(expected).max()


@pytest.mark.parametrize("name", LISTED)
@torch.no_grad()
def test_listed_encoders_build_and_run(name: str) -> None:
    file = listed_file(name)
    assert len(file.weights) == LISTED_LAYERS[name]
    encoder = build_image_encoder(file, image=square(33))
    assert encoder.name == name
    (features,) = encoder.module(torch.from_numpy(random_image(33)))
    assert features.shape == (4, ENCODERS[name].channels)
    assert features.isfinite().all()


# ---- recognising a file


@pytest.mark.parametrize("name", ["mobilenet_v2", "mobilenet_v3_small", "resnet50", "googlenet"])
def test_an_encoder_is_recognised_with_its_classifier(name: str) -> None:
    weights = random_state(expected_shapes(name))
    weights[ENCODERS[name].classifier[0] + "1.weight"] = torch.zeros(10, 4)
    assert build_image_encoder(state_file(weights), image=square(32)).name == name


def test_one_architecture_trained_twice_must_be_named() -> None:
    weights = state_file(random_state(expected_shapes("efficientnet_lite0")))
    with pytest.raises(InputError, match="several image encoders") as caught:
        build_image_encoder(weights)
    assert "tf_efficientnet_lite0:weights.pth" in caught.value.hint


def test_other_weights_are_refused() -> None:
    with pytest.raises(InputError, match="no image encoder has such weights"):
        build_image_encoder(state_file({"conv1.weight": torch.zeros(1)}))


@pytest.mark.parametrize(
    ("key", "change", "message"),
    [
        ("features.18.1.running_var", None, r"running_var is missing"),
        ("features.0.0.weight", torch.zeros(16, 3, 3, 3), r"\[16, 3, 3, 3\], not \[32, 3, 3, 3\]"),
        ("features.19.weight", torch.zeros(3), r"features.19.weight is no weight of mobilenet_v2"),
        ("features.0.1.running_var", torch.full((32,), -0.5), "a variance is negative"),
    ],
)
def test_every_key_is_checked(key: str, change: Tensor | None, message: str) -> None:
    weights = random_state(expected_shapes("mobilenet_v2"))
    if change is None:
        del weights[key]
    else:
        weights[key] = change
    with pytest.raises(CheckpointError, match=message):
        build_image_encoder(state_file(weights), "mobilenet_v2")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda row: row[:-1], "the file ends before"),
        (lambda row: (*row, row[-1]), "a convolution is left over"),
        (lambda row: (row[1], row[0], *row[2:]), "conv0 is"),
    ],
)
def test_every_convolution_of_a_row_is_checked(damage, message: str) -> None:
    file = listed_file("tf_mobilenet_v1")
    damaged = EncoderFile(file.path, 1, "ab", damage(file.weights))
    with pytest.raises(CheckpointError, match=message):
        build_image_encoder(damaged, "tf_mobilenet_v1")


def test_the_kind_of_file_must_be_the_encoders() -> None:
    with pytest.raises(CheckpointError, match="needs a state dictionary"):
        build_image_encoder(listed_file("tf_mobilenet_v1"), "resnet50")
    with pytest.raises(CheckpointError, match=r"needs a \.npz"):
        build_image_encoder(state_file({}), "tf_mobilenet_v1")


def test_a_name_may_stand_before_the_path(tmp_path: Path) -> None:
    assert parse_encoder("resnet50:folder/w.pth") == ("resnet50", Path("folder/w.pth"))
    assert parse_encoder("folder/w.pth") == (None, Path("folder/w.pth"))
    with pytest.raises(InputError, match="no image encoder 'resnet18'"):
        parse_encoder("resnet18:w.pth")
    with_colon = tmp_path / "a:b.pth"
    with_colon.touch()
    assert parse_encoder(str(with_colon)) == (None, with_colon)


# ---- the pieces


@pytest.mark.parametrize(
    ("groups", "kernel", "stride"), [(1, 1, 1), (1, 3, 2), (6, 3, 1), (6, 5, 2)]
)
def test_folded_batch_norm_equals_batch_norm(groups: int, kernel: int, stride: int) -> None:
    layer = Layer("conv", 6, 12, "norm", kernel, stride, groups)
    weights = random_state(keys_of(layer))
    weight, gamma, beta, mean, variance = (weights[key] for key in keys_of(layer))
    x = torch.randn(1, 6, 9, 11, generator=torch.Generator().manual_seed(0))
    plain = F.conv2d(x, weight, None, stride, (kernel - 1) // 2, groups=groups)
    expected = F.batch_norm(plain, mean, variance, gamma, beta, eps=1e-3)
    folded = fold_batch_norm(weight, gamma, beta, mean, variance, eps=1e-3)
    torch.testing.assert_close(Convolution(layer, *folded, same=False)(x), expected)


@pytest.mark.parametrize("length", [1, 2, 5, 8, 9])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel", [1, 2, 3, 5])
def test_same_padding_keeps_the_windows_where_tensorflow_has_them(
    length: int, stride: int, kernel: int
) -> None:
    """By the rule's words: ceil(length / stride) outputs, the odd zero behind the image."""
    layer = Layer("conv", 1, 1, None, kernel, stride)
    weight = torch.arange(1.0, 1 + kernel * kernel).reshape(1, 1, kernel, kernel)
    x = torch.arange(1.0, 1 + length * length).reshape(1, 1, length, length)
    outputs = -(-length // stride)
    missing = max((outputs - 1) * stride + kernel - length, 0)
    wide = torch.zeros(length + missing + kernel, length + missing + kernel)
    first = missing // 2
    wide[first : first + length, first : first + length] = x[0, 0]
    rows = [range(i * stride, i * stride + kernel) for i in range(outputs)]
    expected = torch.tensor([[(wide[r][:, c] * weight[0, 0]).sum() for c in rows] for r in rows])
    got = Convolution(layer, weight, torch.zeros(1), same=True)(x)
    torch.testing.assert_close(got[0, 0], expected)


@pytest.mark.parametrize("preprocessing", [HALF, IMAGENET])
def test_pixels_are_normalised_per_channel(preprocessing) -> None:
    image = torch.tensor([0, 1, 128, 255], dtype=torch.uint8)[None, :, None, None].expand(
        1, 4, 1, 3
    )
    (features,) = ImageToFeatures(nn.Identity(), preprocessing, 3)(image)
    mean, std = torch.tensor(preprocessing.mean), torch.tensor(preprocessing.std)
    torch.testing.assert_close(features, (image[0, :, 0].float() / 255 - mean) / std)


def test_cells_go_row_by_row() -> None:
    image = torch.arange(18, dtype=torch.uint8).reshape(1, 2, 3, 3)
    encoder = ImageToFeatures(nn.Identity(), HALF, 3)
    (features,) = encoder(image)
    torch.testing.assert_close((features + 1) * 127.5, image.reshape(6, 3).float())
