"""How a bundle says what becomes of a picture, and what it may not say."""

import json
from dataclasses import replace
from typing import Any

import pytest

from capexport.bundle import Manifest
from capexport.bundle.card import card_text
from capexport.bundle.document import checksum, manifest_text, read_manifest
from capexport.errors import BundleError
from capexport.spec.image import BICUBIC, ImageSpec
from capexport.spec.signature import IMAGE, TensorSpec


@pytest.fixture
def of_pictures(manifest: Manifest) -> Manifest:
    """A bundle whose image input is 6 x 9 pixels."""
    spec = ImageSpec(6, 9, short_side=12)
    inputs = (TensorSpec(IMAGE, spec.shape, "uint8"),)
    return replace(manifest, image=spec, signature=replace(manifest.signature, inputs=inputs))


def read(document: dict[str, Any]) -> Manifest:
    text = json.dumps({**document, "checksum": checksum(document)}).encode()
    return read_manifest(text, "here")[0]


def test_a_bundle_of_pictures_says_how_to_make_its_input(of_pictures: Manifest) -> None:
    document = json.loads(manifest_text(of_pictures))
    assert document["image"] == {
        "height": 6,
        "width": 9,
        "short_side": 12,
        "resize": "bilinear-antialias-q22",
        "crop": "centre",
    }
    assert read(document).image == of_pictures.image


def test_a_picture_may_be_stretched(of_pictures: Manifest) -> None:
    stretched = replace(of_pictures, image=ImageSpec(6, 9, None, BICUBIC))
    document = json.loads(manifest_text(stretched))
    assert document["image"] == {
        "height": 6,
        "width": 9,
        "resize": "bicubic-antialias-q22",
        "crop": "none",
    }
    assert read(document).image == stretched.image


def test_a_bundle_of_features_says_nothing_of_pictures(manifest: Manifest) -> None:
    """So do all that were written before there were any of pictures."""
    document = json.loads(manifest_text(manifest))
    assert "image" not in document
    assert read(document).image is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"resize": "nearest"}, "resize is 'nearest'"),
        ({"crop": "left"}, "crop is 'left'"),
        ({"height": 0}, "height is 0"),
        ({"width": 10**9}, "width is 1000000000"),
        ({"short_side": 8}, "short_side is 8, it must be from 9"),
        ({"height": 7}, r"does not take an image of \[1, 7, 9, 3\]"),
    ],
)
def test_a_rule_that_is_wrong(
    changes: dict[str, object], message: str, of_pictures: Manifest
) -> None:
    document = json.loads(manifest_text(of_pictures))
    with pytest.raises(BundleError, match=message):
        read({**document, "image": document["image"] | changes})


def test_an_image_without_its_rule(of_pictures: Manifest) -> None:
    document = json.loads(manifest_text(of_pictures))
    del document["image"]
    with pytest.raises(BundleError, match="nothing says how to make it"):
        read(document)


def test_a_rule_without_its_image(manifest: Manifest, of_pictures: Manifest) -> None:
    rule = json.loads(manifest_text(of_pictures))["image"]
    with pytest.raises(BundleError, match="does not take an image"):
        read({**json.loads(manifest_text(manifest)), "image": rule})


@pytest.mark.parametrize("sizes", [(0, 1, 4), (1, 0, 4), (5, 1, 4), (1, 5, 4)])
def test_a_window_lies_inside_the_picture(sizes: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="no window"):
        ImageSpec(*sizes)


def test_the_card_names_size_and_encoder(of_pictures: Manifest) -> None:
    provenance = {**of_pictures.provenance, "image_encoder": {"architecture": "resnet50"}}
    text = card_text(replace(of_pictures, provenance=provenance), {}).decode()
    assert "| Input | pictures, 6 x 9, for resnet50 |" in text
