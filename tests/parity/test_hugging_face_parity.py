"""Hugging Face captioners as bundles: the tokens of `generate`, in both runtimes."""

from pathlib import Path
from typing import Any

import hugging_face_models as models
import pytest

from capexport.bundle import open_bundle
from capexport.export import export
from capexport.runtime import RUNTIMES, Session, beam_search, open_session
from capexport.spec.signature import IMAGE

SEEDS = {"blip": 1, "vit_gpt2": 2, "git": 0}
BEAMS = (1, 2, 3, 4)


@pytest.fixture(scope="module", params=SEEDS)
def exported(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Any, Path]:
    """The model of transformers, and a folder with its bundles by recipe."""
    model = models.BUILDERS[request.param](SEEDS[request.param])
    folder = tmp_path_factory.mktemp(request.param)
    models.save(model, folder / "model")
    for recipe in ("fp32", "dynamic_wi8"):
        export(folder / "model", folder / recipe, recipe=recipe)
    return model, folder


def captions(session: Session, beams: int) -> list[tuple[int, ...]]:
    found = []
    for picture in models.pictures():
        encoded = session.encode({IMAGE: picture[None].numpy()})
        states = session.initial_states(beams, encoded)
        best = beam_search(
            lambda token, now, seen=encoded: session.step(token, now, seen),
            states,
            session.decoding,
            beams,
        )
        found.append(best[0].tokens)
    return found


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("beams", BEAMS)
def test_fp32_captions_are_those_of_generate(
    exported: tuple[Any, Path], runtime: str, beams: int
) -> None:
    model, folder = exported
    session = open_session(open_bundle(folder / "fp32"), runtime)
    expected = [tuple(models.generated(model, p, beams)) for p in models.pictures()]
    assert captions(session, beams) == expected


@pytest.mark.parametrize("beams", BEAMS)
def test_int8_captions_are_the_same_in_both_runtimes(
    exported: tuple[Any, Path], beams: int
) -> None:
    bundle = open_bundle(exported[1] / "dynamic_wi8")
    first, second = (captions(open_session(bundle, runtime), beams) for runtime in RUNTIMES)
    assert first == second


def test_the_bundle_says_how_pictures_and_text_are_made(exported: tuple[Any, Path]) -> None:
    manifest = open_bundle(exported[1] / "fp32").manifest
    assert manifest.image is not None
    assert manifest.image.short_side is None
    assert manifest.vocabulary.joining == "wordpiece"
    assert manifest.decoding.refill
    assert manifest.decoding.length_penalty == 1.0
