"""The whole line on pictures with a static int8 encoder: export, both runtimes, torch."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from checkpoints import write_up_down
from image_nets import SMALL_IMAGE, images, small_image_encoder
from PIL import Image

import capexport.evaluate.reference
import capexport.export
from capexport.bundle import Bundle
from capexport.errors import CapexportError, InputError, UnsupportedError
from capexport.evaluate import recipe_search
from capexport.evaluate.comparison import evaluate
from capexport.evaluate.datasets import CaptionedImage
from capexport.evaluate.recipe_search import Budget, Validation
from capexport.export import export
from capexport.ir.graph import Graph
from capexport.runtime import caption, open_session
from capexport.runtime.inputs import read_inputs

STATIC = "encoder=static_wi8_ai8,decoder=dynamic_wi8"
LEAST_COSINE = 0.99
"""Of what the decoder reads from an encoder of a few layers, in int8 and in torch."""
ONE_ROUNDING = 0.02
"""Convolutions are equal, but the runtimes average float features in another order; that can turn
a rounding of the dynamic int8 linear behind, by 1/255 of a range below 5."""


@pytest.fixture
def checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in (capexport.export, capexport.evaluate.reference):
        monkeypatch.setattr(module, "read_image_encoder", lambda _: small_image_encoder())
    return write_up_down(tmp_path / "checkpoint")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, image in enumerate(images(12, (23, 31))):
        Image.fromarray(image[0].numpy()).save(folder / f"{number}.png")
    return folder


def exported(
    checkpoint: Path, pictures: Path, name: str = "bundle", recipe: str = STATIC
) -> Bundle:
    out = checkpoint.parent / name
    return export(checkpoint, out, encoder="small.pth", recipe=recipe, calibration=pictures)


def test_a_static_bundle_captions_alike_in_both_runtimes(checkpoint: Path, pictures: Path) -> None:
    bundle = exported(checkpoint, pictures)
    assert bundle.manifest.recipe == {"encoder": "static_wi8_ai8", "decoder": "dynamic_wi8"}
    sessions = [open_session(bundle, runtime) for runtime in ("litert", "onnxruntime")]
    for file in sorted(pictures.iterdir())[:3]:
        (picture,) = read_inputs(file, SMALL_IMAGE).values()
        features = (
            small_image_encoder().module(torch.from_numpy(picture.pixels))[0].detach().numpy()
        )
        assert features.shape == (8 * 11, 24)
        captions = [caption(session, picture, 3) for session in sessions]
        assert captions[0].tokens == captions[1].tokens
        encoded = [session.encode({"image": picture.pixels}) for session in sessions]
        for name, array in encoded[0].items():
            np.testing.assert_allclose(array, encoded[1][name], rtol=0, atol=ONE_ROUNDING)


def test_what_the_decoder_reads_is_that_of_the_float_bundle(
    checkpoint: Path, pictures: Path
) -> None:
    exact = export(checkpoint, checkpoint.parent / "exact", encoder="small.pth", recipe="fp32")
    sessions = [open_session(b, "litert") for b in (exact, exported(checkpoint, pictures))]
    for file in sorted(pictures.iterdir())[:3]:
        (picture,) = read_inputs(file, SMALL_IMAGE).values()
        a, b = (session.encode({"image": picture.pixels}) for session in sessions)
        for name in a:
            norm = np.linalg.norm(a[name]) * np.linalg.norm(b[name])
            assert (a[name] * b[name]).sum() / norm >= LEAST_COSINE


def test_the_same_pictures_give_the_same_bytes(checkpoint: Path, pictures: Path) -> None:
    first, second = (exported(checkpoint, pictures, name) for name in ("first", "second"))
    assert [f.sha256 for f in first.manifest.files] == [f.sha256 for f in second.manifest.files]


def test_a_bundle_with_large_images_in_float_says_so_and_compares_by_layer(
    checkpoint: Path, pictures: Path
) -> None:
    recipe = STATIC.replace("ai8", "ai8@11")  # the stem reads 23 columns, the rest 11
    bundle = exported(checkpoint, pictures, recipe=recipe)
    assert bundle.manifest.recipe["encoder"] == "static_wi8_ai8@11"
    files = sorted(pictures.iterdir())[:2]
    result = evaluate(
        bundle,
        checkpoint,
        [CaptionedImage(file.name, file, ("a b",)) for file in files],
        1,
        encoder="small.pth",
        layers=True,
        calibration=pictures,
    )
    errors = {one["layer"]: one["max_abs_error"] for one in result["comparison"]["layers"]}
    stem, *others = (errors[name] for name in errors if name.endswith("weight"))
    assert stem == 0 < min(others)


def test_auto_takes_back_the_small_images_of_a_float_encoder(
    checkpoint: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A judge who cannot bear the stem in int8."""

    def judge(graphs: Sequence[Graph]) -> np.ndarray:
        return np.array([graphs[0].quantization.get("image") is None], np.float64)

    monkeypatch.setattr(recipe_search, "caption_judge", lambda *_: judge)
    images = [CaptionedImage(file.name, file, ("a b",)) for file in sorted(pictures.iterdir())[:2]]
    bundle = export(
        checkpoint,
        checkpoint.parent / "auto",
        encoder="small.pth",
        recipe="auto",
        validation=Validation(images, Budget.parse("0.5%")),
    )
    assert bundle.manifest.recipe == {"encoder": "static_wi8_ai8@11", "decoder": "dynamic_wi8"}
    assert bundle.manifest.provenance["auto"]["largest"] == 11
    (picture,) = read_inputs(images[0].file, SMALL_IMAGE).values()
    said = [caption(open_session(bundle, name), picture, 1) for name in ("litert", "onnxruntime")]
    assert said[0].tokens == said[1].tokens


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"recipe": STATIC}, InputError, "without calibration pictures"),
        ({"recipe": "static_wi8_ai8"}, InputError, "without calibration pictures"),
        ({"recipe": "fp32", "calibration": "pictures"}, InputError, "no recipe needs"),
        ({"recipe": "dynamic_wi8"}, UnsupportedError, "cannot have dynamic int8"),
        ({"recipe": STATIC, "calibration": "empty"}, InputError, "no picture"),
        ({"recipe": STATIC, "calibration": "missing"}, InputError, "cannot be read|no such"),
        ({"recipe": STATIC, "calibration": "damaged"}, InputError, "cannot be read"),
        ({"recipe": "static_wi8_ai8", "calibration": "pictures"}, UnsupportedError, "no convol"),
        (
            {"recipe": STATIC, "calibration": "pictures", "encoder": None},
            UnsupportedError,
            "no convolution",
        ),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(
    options: dict[str, str],
    error: type[CapexportError],
    message: str,
    checkpoint: Path,
    pictures: Path,
) -> None:
    folder = checkpoint.parent
    (folder / "empty").mkdir()
    (folder / "damaged").mkdir()
    whole = (pictures / "0.png").read_bytes()
    (folder / "damaged" / "0.png").write_bytes(whole[: len(whole) // 2])
    given = {"encoder": "small.pth", **options}
    if "calibration" in given:
        given["calibration"] = folder / given["calibration"]
    with pytest.raises(error, match=message):
        export(checkpoint, folder / "bundle", **given)
    assert not (folder / "bundle").exists()
