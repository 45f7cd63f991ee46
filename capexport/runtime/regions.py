"""Candidate boxes -> the regions of a picture: greedy non-maximum suppression in numpy."""

import numpy as np

from capexport.errors import InputError
from capexport.runtime.features import Features
from capexport.runtime.graph_runner import Array

MOST_REGIONS = 36
"""As many as the published captioners were trained on."""
MOST_OVERLAP = 0.5
"""Intersection over union above which two boxes are of one thing."""


def choose_regions(
    box: Array,
    score: Array,
    features: Array,
    *,
    most: int = MOST_REGIONS,
    overlap: float = MOST_OVERLAP,
) -> Features:
    """The best boxes that do not cover each other, best first, each with its cell's features.

    Args:
        box: x0, y0, x1, y1, float32 [candidates, 4]; what lies outside [0, 1] is cut off.
        score: float32 [candidates, 1].
        features: float32 [cells, dim]; a cell has candidates / cells candidates in a row.
        most: regions, at least 1.
        overlap: intersection over union above which the worse of two boxes is dropped.

    Raises:
        InputError: something is not finite.
    """
    for name, array in (("box", box), ("score", score), ("features", features)):
        if not np.isfinite(array).all():
            raise InputError(
                "the detector returns NaN or infinity",
                where=name,
                hint="its weights overflow: use another file",
            )
    inside = box.clip(0, 1)
    kept = suppress(inside, score[:, 0], most, overlap)
    att = features[kept // (len(box) // len(features))]
    return Features(att, features.mean(0), inside[kept])


def suppress(box: Array, score: Array, most: int, overlap: float) -> Array:
    """Indices of the boxes that stay, best first: int64 [at most `most`].

    A box stays unless one that stayed before it overlaps it by more than `overlap`; of equal
    scores the lower index comes first. The best box always stays, even one without area.
    """
    waiting = np.argsort(-score, kind="stable")
    kept: list[int] = []
    while len(waiting) and len(kept) < most:
        best, waiting = waiting[0], waiting[1:]
        kept.append(int(best))
        waiting = waiting[overlaps(box[best], box[waiting]) <= overlap]
    return np.array(kept, np.int64)


def overlaps(one: Array, others: Array) -> Array:
    """Intersection over union of a box [4] with each of others [n, 4]; 0 where the union is."""
    low, high = np.maximum(one[:2], others[:, :2]), np.minimum(one[2:], others[:, 2:])
    common = (high - low).clip(0).prod(1)
    union = _area(one) + _area(others) - common
    shares: Array = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    return shares


def _area(box: Array) -> Array:
    area: Array = (box[..., 2:] - box[..., :2]).prod(-1)
    return area
