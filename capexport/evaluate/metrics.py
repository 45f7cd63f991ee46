"""Captions and references -> the field's scores, by pycocoevalcap.

CIDEr means CIDEr-D (Vedantam, Zitnick and Parikh, 2015), printed as 1.259 where papers say 125.9.
Its weights of words come from the evaluated references: scores of different sets do not compare.
"""

import importlib
import importlib.util
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capexport.errors import InputError, RuntimeMissingError

CIDER = "CIDEr-D"
TOKENIZERS = ("words", "ptb")
"""words: lower case, all but letters, digits and ' is a blank. ptb: Stanford's, which the published
COCO numbers use; it needs Java. Scores made with different tokenizers do not compare."""
NO_JAVA = "there is no java on the PATH"
SPICE_JARS = "stanford-corenlp-3.6.0*.jar"
RESAMPLES = 1000

Texts = Mapping[str, list[str]]


@dataclass(frozen=True, eq=False)
class Scores:
    """What `score` found.

    Args:
        metrics: BLEU-1..4, ROUGE-L, CIDEr-D and, where their parts are present, METEOR and SPICE.
        skipped: why each other metric was left out.
        cider: CIDEr-D of each image [images], in the order of the captions.
    """

    metrics: dict[str, float]
    skipped: dict[str, str]
    cider: NDArray[np.float64]


def score(
    captions: Mapping[str, str],
    references: Mapping[str, Sequence[str]],
    tokenizer: str = "words",
) -> Scores:
    """Scores of one caption an image against its references.

    Args:
        captions, references: by image, the same images.

    Raises:
        InputError: the images differ, there are none, or no such tokenizer.
        RuntimeMissingError: pycocoevalcap is not installed, or java for `ptb`.
    """
    wanted, candidates = _split(captions, references, tokenizer)
    metrics: dict[str, float] = {}
    bleu, _ = _scorer("bleu.bleu", "Bleu")(4).compute_score(wanted, candidates, verbose=0)
    metrics |= {f"BLEU-{n}": float(value) for n, value in enumerate(bleu, 1)}
    rouge, _ = _scorer("rouge.rouge", "Rouge")().compute_score(wanted, candidates)
    cider, each = _scorer("cider.cider", "Cider")().compute_score(wanted, candidates)
    metrics |= {"ROUGE-L": float(rouge), CIDER: float(cider)}
    skipped = {}
    for name, reason, module in (
        ("METEOR", _no_java(), "meteor.meteor"),
        ("SPICE", _no_spice(), "spice.spice"),
    ):
        if reason:
            skipped[name] = reason
        else:
            metrics[name] = _by_java(_scorer(module, name.capitalize())(), wanted, candidates)
    return Scores(metrics, skipped, np.asarray(each, np.float64))


def cider(
    captions: Mapping[str, str],
    references: Mapping[str, Sequence[str]],
    tokenizer: str = "words",
) -> NDArray[np.float64]:
    """CIDEr-D of each image, in the order of the captions: what `score` finds, and raises."""
    _, each = _scorer("cider.cider", "Cider")().compute_score(
        *_split(captions, references, tokenizer)
    )
    return np.asarray(each, np.float64)


def check_tools(tokenizer: str) -> None:
    """Raise what `score` would raise for want of a tool, before anything is captioned."""
    _tokenizer(tokenizer)
    _scorer("cider.cider", "Cider")


def interval(values: NDArray[np.float64], seed: int = 0) -> tuple[float, float]:
    """95 % bootstrap interval of the mean of per-image values."""
    rng = np.random.default_rng(seed)
    draws = rng.integers(0, len(values), (RESAMPLES, len(values)))
    low, high = np.percentile(values[draws].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


def paired_difference(
    ours: NDArray[np.float64], theirs: NDArray[np.float64]
) -> tuple[float, float]:
    """Mean of ours - theirs on the same images, and its standard error."""
    difference = ours - theirs
    if len(difference) < 2:
        return float(difference.mean()), float("nan")
    return float(difference.mean()), float(difference.std(ddof=1) / len(difference) ** 0.5)


def _split(
    captions: Mapping[str, str], references: Mapping[str, Sequence[str]], tokenizer: str
) -> tuple[Texts, Texts]:
    """References and captions as the tokenizer leaves them, in the order of the captions."""
    if set(captions) != set(references) or not captions:
        raise InputError(
            f"captions of {len(captions)} images, references of {len(references)}",
            where="evaluate",
            hint="give one caption for every image that has references",
        )
    split = _tokenizer(tokenizer)
    candidates = split({name: [text] for name, text in captions.items()})
    return split({name: list(references[name]) for name in captions}), candidates


def _tokenizer(name: str) -> Callable[[Texts], Texts]:
    if name == "words":
        return lambda texts: {
            image: [_words(text) for text in all_] for image, all_ in texts.items()
        }
    if name != "ptb":
        raise InputError(
            f"there is no tokenizer {name!r}", where="tokenizer", hint=" or ".join(TOKENIZERS)
        )
    if missing := _no_java():
        raise RuntimeMissingError(missing, where="tokenizer", hint="install a Java runtime")
    ptb = _scorer("tokenizer.ptbtokenizer", "PTBTokenizer")()
    return lambda texts: dict(
        ptb.tokenize({image: [{"caption": t} for t in all_] for image, all_ in texts.items()})
    )


def _words(text: str) -> str:
    return " ".join(re.sub(r"[^a-z0-9']+", " ", text.lower()).split())


def _scorer(module: str, name: str) -> Any:
    if _package() is None:
        raise RuntimeMissingError(
            "pycocoevalcap is not installed",
            where="evaluate",
            hint="pip install 'capexport[evaluate]'",
        )
    return getattr(importlib.import_module(f"pycocoevalcap.{module}"), name)


def _by_java(scorer: Any, references: Texts, captions: Texts) -> float:
    value, _ = scorer.compute_score(references, captions)
    if (process := getattr(scorer, "meteor_p", None)) is not None:
        process.communicate()  # ends it and closes its pipes, which the package leaves open
    return float(value)


def _package() -> Path | None:
    spec = importlib.util.find_spec("pycocoevalcap")
    places = spec.submodule_search_locations if spec is not None else None
    return Path(next(iter(places))) if places else None


def _no_java() -> str:
    return "" if shutil.which("java") else NO_JAVA


def _no_spice() -> str:
    """Its constructor would download what is missing; nothing is downloaded here."""
    package = _package()
    if package is None or not list(package.glob(f"spice/lib/{SPICE_JARS}")):
        return f"its parts {SPICE_JARS} are not in pycocoevalcap/spice/lib, and are not downloaded"
    return _no_java()
