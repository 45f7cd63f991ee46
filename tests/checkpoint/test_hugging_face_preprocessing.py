"""preprocessor_config.json of the published models' kinds into resizing and normalisation."""

import json
from pathlib import Path
from typing import Any

import hugging_face_models as models
import pytest
import torch

from capexport.captioner.vision_transformer import PatchEmbedding
from capexport.checkpoint.hugging_face.preprocessing import read_preprocessing
from capexport.checkpoint.limits import DEFAULT_LIMITS
from capexport.checkpoint.normalisation import Normalisation
from capexport.checkpoint.source import FolderSource
from capexport.errors import CapexportError, CheckpointError, UnsupportedError
from capexport.spec.image import BICUBIC, BILINEAR, ImageSpec

SIDE = models.SIDE
SQUARE = {"height": SIDE, "width": SIDE}


def read(folder: Path, **changes: Any) -> tuple[ImageSpec, Normalisation]:
    models.write_preprocessor(folder, **changes)
    return read_preprocessing(FolderSource(folder, DEFAULT_LIMITS), SIDE)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"size": SQUARE, "resample": 3}, ImageSpec(SIDE, SIDE, None, BICUBIC)),
        ({"size": SIDE, "resample": 2}, ImageSpec(SIDE, SIDE, None, BILINEAR)),
        (
            {"size": {"shortest_edge": 30}, "crop_size": SQUARE, "do_center_crop": True},
            ImageSpec(SIDE, SIDE, 30, BICUBIC),
        ),
        (
            {"size": 30, "crop_size": SIDE, "do_center_crop": True, "resample": 3},
            ImageSpec(SIDE, SIDE, 30, BICUBIC),
        ),
    ],
)
def test_kinds_of_resizing(rule: dict[str, Any], expected: ImageSpec, tmp_path: Path) -> None:
    assert read(tmp_path, **rule)[0] == expected


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        ({"size": {"height": 25, "width": SIDE}}, CheckpointError),
        ({"size": {"shortest_edge": SIDE}}, CheckpointError),
        (
            {"size": {"shortest_edge": 9}, "crop_size": SIDE, "do_center_crop": True},
            CheckpointError,
        ),
        ({"crop_size": 9, "do_center_crop": True}, CheckpointError),
        ({"resample": 1}, UnsupportedError),
        ({"do_resize": False}, UnsupportedError),
        ({"image_mean": [0.5]}, CheckpointError),
        ({"image_std": [0.5, 0.5, 0]}, CheckpointError),
        ({"rescale_factor": "1/255"}, CheckpointError),
    ],
)
def test_what_is_not_reproduced_is_refused(
    rule: dict[str, Any], error: type[CapexportError], tmp_path: Path
) -> None:
    with pytest.raises(error):
        read(tmp_path, **rule)


def test_a_processors_file_holds_the_same_rule(tmp_path: Path) -> None:
    expected = read(tmp_path)
    rule = json.loads((tmp_path / "preprocessor_config.json").read_text())
    (tmp_path / "preprocessor_config.json").unlink()
    (tmp_path / "processor_config.json").write_text(json.dumps({"image_processor": rule}))
    assert read_preprocessing(FolderSource(tmp_path, DEFAULT_LIMITS), SIDE) == expected


@pytest.mark.parametrize("bias", [True, False])
def test_patches_of_raw_pixels_equal_the_convolution_of_normalised_ones(bias: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(5, 3, 4, 4, generator=generator)
    offset = torch.randn(5, generator=generator) if bias else None
    image = torch.randint(0, 256, (1, 12, 12, 3), dtype=torch.uint8, generator=generator)
    pixels = Normalisation(1 / 255, tuple(models.MEAN), tuple(models.STD))
    scaled = (image[0].double() / 255 - torch.tensor(models.MEAN)) / torch.tensor(models.STD)
    convolved = torch.nn.functional.conv2d(
        scaled.permute(2, 0, 1)[None],
        weight.double(),
        None if offset is None else offset.double(),
        stride=4,
    )
    patches = PatchEmbedding(weight, offset, 12, pixels)(image)
    expected = convolved.flatten(2).transpose(1, 2)[0].float()
    # 48 products of up to 4 * 2 in float32
    torch.testing.assert_close(patches, expected, rtol=0, atol=48 * 8 * 1.2e-7)
