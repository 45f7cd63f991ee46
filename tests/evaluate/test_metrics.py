"""Scores by pycocoevalcap against CIDEr-D written out, and what is said of what is skipped."""

import math
from collections import Counter

import numpy as np
import pytest

from capexport.errors import InputError
from capexport.evaluate import metrics
from capexport.evaluate.metrics import CIDER, interval, paired_difference, score

REFERENCES = {
    "one": ["a red house", "a house that is red"],
    "two": ["two dogs on the grass", "dogs on grass"],
    "three": ["the sea and a boat", "a boat on the sea"],
}
CAPTIONS = {"one": "a red house", "two": "two cats on the grass", "three": "a plane"}
TOLERANCE = 1e-9
"""Both sides are float64 sums of a few dozen terms."""


def ngrams(text: str, n: int) -> Counter[tuple[str, ...]]:
    words = text.split()
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def cider_d(captions: dict[str, str], references: dict[str, list[str]]) -> list[float]:
    """Section 3 of the paper with the length penalty of CIDEr-D, as slowly as it reads."""
    frequency: Counter[tuple[str, ...]] = Counter()
    for texts in references.values():
        frequency.update({g for text in texts for n in range(1, 5) for g in ngrams(text, n)})

    def vector(text: str, n: int) -> dict[tuple[str, ...], float]:
        idf = {
            g: math.log(len(references)) - math.log(max(1, frequency[g])) for g in ngrams(text, n)
        }
        return {g: count * idf[g] for g, count in ngrams(text, n).items()}

    def similarity(caption: str, reference: str, n: int) -> float:
        ours, theirs = vector(caption, n), vector(reference, n)
        product = sum(min(ours[g], theirs.get(g, 0.0)) * theirs.get(g, 0.0) for g in ours)
        norms = math.sqrt(sum(v * v for v in ours.values())) * math.sqrt(
            sum(v * v for v in theirs.values())
        )
        bigrams = len(caption.split()) - len(reference.split())
        return (product / norms if norms else 0.0) * math.exp(-(bigrams**2) / 72)

    return [
        10
        * float(np.mean([[similarity(text, r, n) for n in range(1, 5)] for r in references[name]]))
        for name, text in captions.items()
    ]


def test_cider_is_what_the_paper_says() -> None:
    scores = score(CAPTIONS, REFERENCES)
    expected = cider_d(CAPTIONS, REFERENCES)
    assert np.abs(scores.cider - expected).max() < TOLERANCE
    assert scores.metrics[CIDER] == pytest.approx(np.mean(expected), abs=TOLERANCE)


def test_a_reference_as_caption_scores_best() -> None:
    perfect = score({name: texts[0] for name, texts in REFERENCES.items()}, REFERENCES)
    assert perfect.metrics["BLEU-4"] == pytest.approx(1, abs=1e-6)
    assert perfect.metrics["ROUGE-L"] == pytest.approx(1)
    assert perfect.metrics[CIDER] > score(CAPTIONS, REFERENCES).metrics[CIDER]


def test_case_and_punctuation_do_not_count() -> None:
    shouted = {name: text.upper() + " !" for name, text in CAPTIONS.items()}
    assert score(shouted, REFERENCES).metrics == score(CAPTIONS, REFERENCES).metrics


def test_every_metric_is_reported_or_skipped_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics.shutil, "which", lambda name: None)
    scores = score(CAPTIONS, REFERENCES)
    assert scores.skipped["METEOR"] == metrics.NO_JAVA
    assert "SPICE" in scores.skipped
    names = {*scores.metrics, *scores.skipped}
    assert names == {"BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "ROUGE-L", CIDER, "METEOR", "SPICE"}


def test_images_must_be_the_same() -> None:
    with pytest.raises(InputError, match="captions of 2 images"):
        score({"one": "a", "two": "b"}, REFERENCES)


def test_a_paired_difference_is_surer_than_the_scores() -> None:
    rng = np.random.default_rng(0)
    theirs = rng.normal(3, 2, 210)
    mean, error = paired_difference(theirs + 0.1 + rng.normal(0, 0.01, 210), theirs)
    assert mean == pytest.approx(0.1, abs=0.01)
    assert error < 0.002
    low, high = interval(theirs)
    assert low < theirs.mean() < high
    assert high - low == pytest.approx(4 * 2 / math.sqrt(210), rel=0.2)
