"""The captioners of ImageCaptioning.pytorch and AoANet against what that code produced."""

from pathlib import Path

import numpy as np
import pytest
from golden_sets import BEAMS, IMAGE_CAPTIONING_PYTORCH, GoldenSet

from capexport.captioner.search import beam_search, greedy

TOLERANCE = 1e-4
"""nats. Float32 implementations of these sets differ by up to 3.8e-5."""
LEAST_STABLE = 8
"""Every set has 11 images, of which rounding may turn a few."""


@pytest.fixture(scope="module", params=IMAGE_CAPTIONING_PYTORCH)
def golden(request: pytest.FixtureRequest, shared_data: Path) -> GoldenSet:
    return GoldenSet(shared_data, request.param)


def test_log_probabilities_of_every_greedy_step(golden: GoldenSet) -> None:
    for image, expected in golden.expected.items():
        tokens, log_probs = greedy(golden.captioner, *golden.tensors(image))
        assert tokens == expected["greedy_ids"]
        array = golden.arrays[f"{image}.greedy_logp"]
        np.testing.assert_allclose(log_probs.numpy(), array, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("width", BEAMS)
def test_captions(golden: GoldenSet, width: int) -> None:
    entries, captioner = golden.stable(width), golden.captioner
    assert len(entries) >= LEAST_STABLE
    for image, entry in entries.items():
        best = beam_search(captioner, width, *golden.tensors(image))[0]
        assert list(best.tokens) == entry["ids"][0]
        assert best.log_prob == pytest.approx(entry["sum_logp"][0], abs=TOLERANCE)
        assert captioner.vocabulary.text(best.tokens, captioner.decoding) == entry["caption"]
