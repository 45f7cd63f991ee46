"""Non-maximum suppression against a slow reference, and what becomes of the boxes that stay."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capexport.errors import InputError
from capexport.runtime.regions import choose_regions, overlaps, suppress

COARSE = 8
"""Corners on such a grid make equal boxes, boxes without area, and exact overlaps likely."""


def slow_overlap(a: np.ndarray, b: np.ndarray) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    common = max(width, 0.0) * max(height, 0.0)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common
    return float(common / union) if union > 0 else 0.0


def slow_suppress(box: np.ndarray, score: np.ndarray, most: int, overlap: float) -> list[int]:
    """By definition: in order of score, whoever does not overlap one that stays."""
    kept: list[int] = []
    for i in sorted(range(len(box)), key=lambda i: (-score[i], i)):
        if len(kept) < most and all(slow_overlap(box[j], box[i]) <= overlap for j in kept):
            kept.append(i)
    return kept


@st.composite
def candidates(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    count = draw(st.sampled_from([1, 2, 3, 7, 31]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    corners = np.sort(rng.integers(0, COARSE + 1, (count, 2, 2)), axis=1) / COARSE
    score = rng.integers(0, draw(st.sampled_from([1, 3, 100])), count) / 100
    return corners.reshape(count, 4), score


@settings(deadline=None, max_examples=200)
@given(candidates(), st.sampled_from([1, 2, 5, 100]), st.sampled_from([0.0, 0.25, 0.5, 1.0]))
def test_what_stays_is_what_the_definition_says(
    given_boxes: tuple[np.ndarray, np.ndarray], most: int, overlap: float
) -> None:
    box, score = given_boxes
    kept = suppress(box, score, most, overlap)
    assert kept.tolist() == slow_suppress(box, score, most, overlap)
    assert 1 <= len(kept) <= most


def test_overlap_of_known_boxes() -> None:
    one = np.array([0.0, 0.0, 0.5, 0.5])
    others = np.array([one, [0.25, 0, 0.75, 0.5], [0.5, 0, 1, 1], [0.1, 0.1, 0.1, 0.1]])
    np.testing.assert_allclose(overlaps(one, others), [1, 1 / 3, 0, 0])
    assert overlaps(others[3], others[3:]).tolist() == [0]  # no area: nothing to share


def test_regions_have_their_cells_features_and_lie_in_the_picture() -> None:
    features = np.arange(6, dtype=np.float32).reshape(2, 3)
    box = np.array(
        [[0, 0, 1, 1], [-0.5, 0, 0.25, 0.5], [0.5, 0.5, 2, 2], [0.5, 0.5, 1, 0.9]], np.float32
    )
    score = np.array([[0.1], [0.3], [0.9], [0.8]], np.float32)
    found = choose_regions(box, score, features, most=3)
    assert found.box is not None
    assert found.box.tolist() == [[0.5, 0.5, 1, 1], [0, 0, 0.25, 0.5], [0, 0, 1, 1]]
    assert found.att.tolist() == [[3, 4, 5], [0, 1, 2], [0, 1, 2]]  # two candidates a cell
    assert found.fc.tolist() == [1.5, 2.5, 3.5]


def test_what_overflowed_is_refused() -> None:
    box, score = np.zeros((2, 4), np.float32), np.full((2, 1), np.nan, np.float32)
    with pytest.raises(InputError, match="NaN or infinity"):
        choose_regions(box, score, np.zeros((1, 3), np.float32))
