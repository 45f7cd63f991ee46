"""A PyTorch captioner, its bundle's sessions and captioned images -> what conversion costs."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from capexport.bundle import Bundle
from capexport.captioner import Captioner
from capexport.captioner.search import beam_search
from capexport.compress import AUTO, check_calibration, parse_recipes
from capexport.evaluate.datasets import CaptionedImage
from capexport.evaluate.layers import layer_errors
from capexport.evaluate.metrics import CIDER, check_tools, cider, interval, paired_difference
from capexport.evaluate.quality import Reading, reading, report
from capexport.evaluate.reference import one_thread, open_sessions, reference_captioner
from capexport.runtime import Given, Session, caption, encoder_inputs, open_session, read_pictures

LAYER_IMAGES = 4
"""Images over which errors of layers are taken: numpy computes them slowly, they vary little."""


@dataclass(frozen=True)
class Said:
    """Captions of one side by image: token ids with the end token, and text."""

    tokens: dict[str, tuple[int, ...]]
    texts: dict[str, str]


def evaluate(
    bundle: Bundle,
    checkpoint: Path,
    images: Sequence[CaptionedImage],
    beam: int,
    *,
    encoder: str | None = None,
    features: Path | None = None,
    tokenizer: str = "words",
    runtime: str | None = None,
    threads: int = 1,
    layers: bool = False,
    calibration: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """`compare` of a bundle and the checkpoint that it was made of.

    Args:
        encoder: `PATH` or `NAME:PATH` of the image encoder that the bundle was exported with.
        features: as for `quality.evaluate`.
        runtime: compare this one only; None: every one that is installed.
        layers: add the errors of `layer_errors` over the first LAYER_IMAGES images, as "layers".
        calibration: the pictures of the export, which `layers` of a static recipe needs.

    Raises:
        InputError: the bundle was made of another model, an image cannot be read, or `layers` lacks
            its pictures.
        RuntimeMissingError: pycocoevalcap or the runtime is not installed.
    """
    check_tools(tokenizer)
    recipes = parse_recipes(",".join("=".join(one) for one in bundle.manifest.recipe.items()))
    if layers:
        check_calibration(recipes, calibration)
    captioner = reference_captioner(checkpoint, encoder, bundle)
    skipped: dict[str, str] = {}
    if runtime is None:
        sessions, skipped = open_sessions(bundle, threads)
    else:
        sessions = {runtime: open_session(bundle, runtime, threads)}
    read = reading(captioner.image, features)
    result = compare(
        captioner, sessions, read, images, beam, tokenizer=tokenizer, progress=progress
    )
    result["comparison"]["skipped"] = skipped
    if layers:
        progress("comparing layers")
        given = (encoder_inputs(captioner.signature, read(one)) for one in images)
        pictures = read_pictures(calibration, captioner.image)
        result["comparison"]["layers"] = layer_errors(
            captioner, recipes, islice(given, LAYER_IMAGES), pictures, _float_layers(bundle)
        )
    return result


def _float_layers(bundle: Bundle) -> dict[str, set[str]]:
    """What the recipe auto left float in graphs that are int8, by the export's own account."""
    found: dict[str, set[str]] = {}
    for part in bundle.manifest.provenance.get(AUTO, {}).get("float", []):
        if bundle.manifest.recipe.get(part["graph"]) != "fp32":
            found.setdefault(part["graph"], set()).update(part["layers"])
    return found


def compare(
    captioner: Captioner,
    sessions: Mapping[str, Session],
    read: Reading,
    images: Sequence[CaptionedImage],
    beam: int,
    *,
    tokenizer: str = "words",
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Caption every image by PyTorch in float and in every runtime, and score each side.

    Args:
        sessions: by runtime's name, at least one, of a bundle that was made of `captioner`.

    Returns:
        what `quality.evaluate` returns of the first session, and "comparison": `{"reference":
        {"CIDEr-D", "cider_95"}, "runtimes": {NAME: {"CIDEr-D", "cider_95", "difference",
        "standard_error", "captions_identical", "captions_total", "first_difference",
        "differences"}}}`. The difference is of mean CIDEr-D on the same images, runtime - PyTorch;
        its standard error is None for one image. `first_difference` counts images by the first
        step (from 1) at which the captions differ.

    Raises:
        InputError: an image cannot be read, or has no features.
    """
    reference, runtimes = _caption_all(captioner, sessions, read, images, beam, progress)
    progress("scoring")
    references = {one.name: one.captions for one in images}
    wanted = cider(reference.texts, references, tokenizer)
    document = report(next(iter(runtimes.values())).texts, images, beam, tokenizer)
    document["comparison"] = {
        "reference": _quality(wanted),
        "runtimes": {
            name: {
                **_cost(cider(said.texts, references, tokenizer), wanted),
                **_differences(said, reference),
            }
            for name, said in runtimes.items()
        },
    }
    return document


@one_thread()
def _caption_all(
    captioner: Captioner,
    sessions: Mapping[str, Session],
    read: Reading,
    images: Sequence[CaptionedImage],
    beam: int,
    progress: Callable[[str], None],
) -> tuple[Said, dict[str, Said]]:
    """Every image is read once, for all sides."""
    reference, runtimes = Said({}, {}), {name: Said({}, {}) for name in sessions}
    for number, one in enumerate(images, 1):
        given = read(one)
        tokens = _by_torch(captioner, given, beam)
        reference.tokens[one.name] = tokens
        reference.texts[one.name] = captioner.vocabulary.text(tokens, captioner.decoding)
        for name, session in sessions.items():
            found = caption(session, given, beam)
            runtimes[name].tokens[one.name] = tuple(found.tokens)
            runtimes[name].texts[one.name] = found.text
        progress(f"{number} of {len(images)} captioned")
    return reference, runtimes


def _by_torch(captioner: Captioner, given: Given, beam: int) -> tuple[int, ...]:
    arrays = encoder_inputs(captioner.signature, given)
    tensors = [torch.from_numpy(arrays[spec.name]) for spec in captioner.signature.inputs]
    return beam_search(captioner, beam, *tensors)[0].tokens


def _quality(scores: NDArray[np.float64]) -> dict[str, Any]:
    return {CIDER: float(scores.mean()), "cider_95": interval(scores)}


def _cost(scores: NDArray[np.float64], reference: NDArray[np.float64]) -> dict[str, Any]:
    difference, error = paired_difference(scores, reference)
    return {
        **_quality(scores),
        "difference": difference,
        "standard_error": error if len(scores) > 1 else None,
    }


def _differences(said: Said, reference: Said) -> dict[str, Any]:
    steps = {
        image: first_difference(tokens, said.tokens[image])
        for image, tokens in reference.tokens.items()
    }
    found = {image: step for image, step in steps.items() if step}
    counts = Counter(found.values())
    return {
        "captions_identical": len(steps) - len(found),
        "captions_total": len(steps),
        "first_difference": {str(step): counts[step] for step in sorted(counts)},
        "differences": [
            {
                "image": image,
                "step": step,
                "expected": reference.texts[image],
                "caption": said.texts[image],
            }
            for image, step in found.items()
        ],
    }


def first_difference(expected: Sequence[int], got: Sequence[int]) -> int:
    """The first step, from 1, at which two captions differ; 0 where they do not.

    One that goes on where the other has ended differs at the step after the end.
    """
    for step, (one, other) in enumerate(zip(expected, got, strict=False), 1):
        if one != other:
            return step
    return 0 if len(expected) == len(got) else min(len(expected), len(got)) + 1
