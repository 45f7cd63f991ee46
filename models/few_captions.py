"""Retell a data set in fewer captions: pictures that people describe alike get the same one.

    python models/few_captions.py DATA RETOLD OUT

RETOLD is what `retold.py` made of DATA. What a model says of a picture and of its mirror images
often differs in a word that nothing in the picture decides; a student of it is torn there, and any
noise, such as int8's, turns its choice. OUT tells each kind of training pictures by the caption
that people's captions of it, the model's, and the captions' own frequency speak for most.
"""

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capexport.evaluate.metrics import cider

LEAST = 8
"""Training pictures, mirror images counted, that the model gives a caption to be a candidate."""
MODEL = 0.3
"""What likeness to the model's captions counts, people's being 1."""
FREQUENCY = 0.6
"""What the logarithm of a caption's number of pictures counts."""
RETURN = 0.01
"""Number of pictures that a caption counts which no kind has: it may come back."""
AT_MOST = 100
"""Rounds; about ten are needed."""
Kind = tuple[str, ...]
"""People's captions of a picture, in order: pictures that share them are one kind."""


def main() -> None:
    data, retold, out = (Path(argument) for argument in sys.argv[1:])
    people = json.loads((data / "captions.json").read_text())["images"]
    model = json.loads((retold / "captions.json").read_text())["images"]
    said: dict[Kind, Counter[str]] = defaultdict(Counter)
    for one, other in zip(people, model, strict=True):
        if one["file"] != other["file"]:
            raise SystemExit(f"{retold} has {other['file']} in place of {one['file']}")
        if one["split"] == "train":
            said[kind_of(one["captions"])][other["captions"][0]] += 1
    chosen = few_captions(said)
    for one in people:
        if one["split"] == "train":
            one["captions"] = [chosen[kind_of(one["captions"])]] * len(one["captions"])
    out.mkdir(parents=True)
    (out / "images").symlink_to((data / "images").resolve(), target_is_directory=True)
    (out / "captions.json").write_text(json.dumps({"images": people}))
    print(f"{len(set(chosen.values()))} captions of {len(said)} kinds of pictures in {out}")


def kind_of(captions: Sequence[str]) -> Kind:
    return tuple(sorted(captions))


def few_captions(said: dict[Kind, Counter[str]], least: int = LEAST) -> dict[Kind, str]:
    """A caption for each kind: the best by `fit` + FREQUENCY * ln(its pictures), until all stay.

    Args:
        said: how often the model gave which caption to a kind's pictures.
        least: see LEAST.
    """
    total = sum(said.values(), Counter())
    candidates = [caption for caption, times in total.items() if times >= least]
    pictures = np.array([times.total() for times in said.values()])
    fitting = fit(said, candidates)
    counts = np.array([total[caption] for caption in candidates], float)
    chosen = np.full(len(said), -1)
    for _ in range(AT_MOST):
        before = chosen
        chosen = (fitting + FREQUENCY * np.log(np.maximum(counts, RETURN))).argmax(1)
        if (chosen == before).all():
            break
        counts = np.bincount(chosen, pictures, len(candidates))
    return {kind: candidates[n] for kind, n in zip(said, chosen, strict=True)}


def fit(said: dict[Kind, Counter[str]], candidates: Sequence[str]) -> NDArray[np.float64]:
    """CIDEr-D [kinds, candidates] against people's captions, plus MODEL times the model's."""
    people = {str(n): list(kind) for n, kind in enumerate(said)}
    model = {str(n): list(times.elements()) for n, times in enumerate(said.values())}
    columns = []
    for candidate in candidates:
        everywhere = dict.fromkeys(people, candidate)
        columns.append(cider(everywhere, people) + MODEL * cider(everywhere, model))
    return np.stack(columns, 1)


if __name__ == "__main__":
    main()
