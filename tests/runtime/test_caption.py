"""Bundle and features -> the caption that the same search finds over the numpy model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from runtime import tiny_captioner
from runtime.tiny_captioner import DECODING, SIGNATURE, VOCABULARY

from capexport.bundle import Bundle, create_bundle
from capexport.errors import InputError
from capexport.runtime import (
    Hypothesis,
    Session,
    beam_search,
    caption,
    encoder_inputs,
    forced_log_probs,
    open_session,
)
from capexport.runtime.features import Features
from capexport.spec.signature import TensorSpec

LOG_PROB_TOLERANCE = 1e-4
"""Nats between numpy and a runtime, summed over a caption in float32."""


def expected(features: Features, session: Session, beam: int) -> list[Hypothesis]:
    memory = tiny_captioner.encode(features.att, features.fc[np.newaxis])
    return beam_search(
        lambda token, states: tiny_captioner.step(token, states, memory),
        session.initial_states(beam, memory),
        session.decoding,
        beam,
    )


@pytest.mark.parametrize("beam", [1, 2, 3, 5, VOCABULARY])
@pytest.mark.parametrize("regions", [1, 3, 36, 100])
def test_caption_is_that_of_the_numpy_model(session: Session, regions: int, beam: int) -> None:
    features = tiny_captioner.features(regions, seed=regions)
    found = caption(session, features, beam)
    best = expected(features, session, beam)[0]
    assert tuple(found.tokens) == best.tokens
    assert found.log_prob == pytest.approx(best.log_prob, abs=LOG_PROB_TOLERANCE)
    assert found.text == session.vocabulary.text(best.tokens, DECODING)


def test_images_in_a_row_do_not_influence_each_other(session: Session) -> None:
    images = [tiny_captioner.features(regions, seed=regions) for regions in (3, 36, 1)]
    forwards = [caption(session, image, 3) for image in images]
    backwards = [caption(session, image, 3) for image in reversed(images)]
    assert forwards == backwards[::-1]
    assert len({found.text for found in forwards}) > 1


def test_result_holds_plain_numbers(session: Session) -> None:
    found = caption(session, tiny_captioner.features(3), 2)
    assert type(found.log_prob) is float
    assert all(type(token) is int for token in found.tokens)
    assert len(found.tokens) <= DECODING.max_length


@pytest.mark.parametrize("beam", [-1, 0, VOCABULARY + 1])
def test_beam_out_of_range(session: Session, beam: int) -> None:
    with pytest.raises(InputError, match=f"the beam width is {beam}") as caught:
        caption(session, tiny_captioner.features(3), beam)
    assert f"from 1 to {VOCABULARY}" in caught.value.hint


def test_features_of_another_width(session: Session) -> None:
    att = np.zeros((3, 8), np.float32)
    with pytest.raises(InputError, match=r"att must be float32 \[regions, 6\]"):
        caption(session, Features(att, att[0]), 1)


def test_model_that_needs_boxes() -> None:
    boxes = TensorSpec("box", ("regions", 4))
    signature = replace(SIGNATURE, inputs=(*SIGNATURE.inputs, boxes))
    features = tiny_captioner.features(3)
    with pytest.raises(InputError, match="needs 'box'") as caught:
        encoder_inputs(signature, features)
    assert "<name>.box" in caught.value.hint
    with_boxes = replace(features, box=np.zeros((3, 4), np.float32))
    assert list(encoder_inputs(signature, with_boxes)) == ["att", "fc", "box"]


def test_forced_log_probs_repeat_a_greedy_caption(session: Session) -> None:
    features = tiny_captioner.features(4)
    found = caption(session, features, 1)
    log_probs = forced_log_probs(session, features, found.tokens)
    assert log_probs.shape == (len(found.tokens), VOCABULARY)
    assert log_probs.argmax(axis=1).tolist() == found.tokens
    total = log_probs[np.arange(len(found.tokens)), found.tokens].sum()
    assert found.log_prob == pytest.approx(total, abs=LOG_PROB_TOLERANCE)


def test_decoding_rule_of_the_bundle_is_used(bundle: Bundle, runtime: str, tmp_path: Path) -> None:
    short = replace(bundle.manifest, files=(), decoding=replace(DECODING, max_length=1))
    files = {name: bundle.read(name) for name in bundle.manifest.graph_files}
    session = open_session(create_bundle(tmp_path / "out", short, files, force=False), runtime)
    assert len(caption(session, tiny_captioner.features(3), 3).tokens) == 1
