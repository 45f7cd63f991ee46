"""The shipped scenes model: golden captions in PyTorch and in both runtimes, and their truth."""

import json
from pathlib import Path

import pytest
import torch

from capexport.bundle import Bundle
from capexport.captioner import Captioner, build_captioner
from capexport.captioner.search import beam_search
from capexport.checkpoint import read_checkpoint
from capexport.evaluate.datasets import read_captions, select
from capexport.export import export
from capexport.prune.recipe import read_recipe
from capexport.runtime import caption, open_session, read_picture
from capexport.scenes import judge, read_scenes, write_scenes

MODEL = Path(__file__).parent.parent.parent / "models" / "scenes"
GOLDEN = json.loads((MODEL / "golden.json").read_text())
RECIPE = "encoder=static_wi8_ai8,decoder=dynamic_wi8"
LEAST_TRUE = 0.8
"""Of 40 captions. The model card has the share on 1,000, which is higher; one standard error of 40
is about 0.04."""


@pytest.fixture(scope="module")
def captioner() -> Captioner:
    return build_captioner(read_checkpoint(MODEL))


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scenes") / "scenes"
    write_scenes(folder, {"val": 32, "test": 40}, seed=1)
    return folder


@pytest.fixture(scope="module")
def bundle(scenes: Path) -> Bundle:
    pictures = scenes / "images" / "val"
    return export(
        MODEL, scenes.parent / "bundle", recipe=RECIPE, weights="packed", calibration=pictures
    )


def test_the_recipe_is_that_of_the_checkpoint() -> None:
    checkpoint, recipe = read_checkpoint(MODEL), read_recipe(MODEL / "recipe.toml")
    assert checkpoint.architecture == recipe.architecture
    assert checkpoint.image_encoder == recipe.image_encoder
    assert recipe.config.items() <= checkpoint.config.items()
    assert checkpoint.decoding.max_length == recipe.max_length


def test_golden_captions_in_pytorch(captioner: Captioner) -> None:
    assert captioner.image is not None
    for one in GOLDEN:
        pixels = read_picture(MODEL / one["picture"], captioner.image).pixels
        best = beam_search(captioner, captioner.decoding.beam, torch.from_numpy(pixels))[0]
        assert captioner.vocabulary.text(best.tokens, captioner.decoding) == one["caption"]


@pytest.mark.parametrize("runtime", ["litert", "onnxruntime"])
def test_golden_captions_in_int8(runtime: str, bundle: Bundle) -> None:
    session = open_session(bundle, runtime)
    assert bundle.manifest.image is not None
    for one in GOLDEN:
        picture = read_picture(MODEL / one["picture"], bundle.manifest.image)
        assert caption(session, picture, bundle.manifest.decoding.beam).text == one["caption"]


def test_captions_of_new_scenes_are_true_and_the_same_in_both_runtimes(
    bundle: Bundle, scenes: Path
) -> None:
    sessions = [open_session(bundle, runtime) for runtime in ("litert", "onnxruntime")]
    assert bundle.manifest.image is not None
    drawn, true, same = read_scenes(scenes), 0, 0
    images = select(read_captions(scenes), "test")
    for image in images:
        picture = read_picture(image.file, bundle.manifest.image)
        texts = [caption(session, picture, 1).text for session in sessions]
        true += judge(texts[0], drawn[image.name]).is_true
        same += texts[0] == texts[1]
    assert true / len(images) >= LEAST_TRUE
    assert same >= len(images) - 1  # the runtimes average features in another order
