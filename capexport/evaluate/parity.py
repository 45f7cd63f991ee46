"""Checkpoint and bundle -> whether the graph files say what PyTorch says, step by step."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from capexport.bundle import Bundle, open_bundle
from capexport.captioner import Captioner
from capexport.captioner.search import beam_search, greedy
from capexport.evaluate.reference import one_thread, open_sessions, reference_captioner
from capexport.runtime import (
    Features,
    Given,
    Picture,
    Session,
    caption,
    check_inputs,
    encoder_inputs,
    forced_log_probs,
    input_files,
    read_inputs,
)

Array = NDArray[Any]

BEAMS = (1, 2, 3)
FLOAT_TOLERANCE = 1e-3
"""nats. A float32 sum of 3,000 products is good to about eps * sqrt(3000) = 7e-6 relative; logits
reach 10, and the error is fed back through the states for up to 16 steps."""
MIN_IDENTICAL_FLOAT, MIN_IDENTICAL_INT8 = 1.0, 0.9
"""Share of captions that must be the same. Rounded weights may turn a near tie."""
_SYNTHETIC_REGIONS = (1, 10, 36, 100)


@dataclass
class RuntimeParity:
    """Errors of one runtime so far, in nats, and its captions."""

    errors: list[Array] = field(default_factory=list)
    captions_identical: int = 0
    captions_total: int = 0
    differences: list[dict[str, object]] = field(default_factory=list)

    def report(self) -> dict[str, Any]:
        errors = np.concatenate(self.errors)
        return {
            "max_abs_log_prob_error": float(errors.max()),
            "mean_abs_log_prob_error": float(errors.mean()),
            "steps": len(self.errors),
            "captions_identical": self.captions_identical,
            "captions_total": self.captions_total,
            "differences": self.differences,
        }


def verify(
    checkpoint: Path,
    bundle: Path,
    inputs: Path | None = None,
    *,
    encoder: str | None = None,
    min_identical: float | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Compare every installed runtime of the bundle with the PyTorch captioner.

    Log-probabilities are compared along PyTorch's greedy caption (both sides read the same tokens),
    captions for beams 1, 2 and 3.

    Args:
        inputs: features file, picture or folder of pictures; None makes four random inputs.
        encoder: `PATH` or `NAME:PATH` of the image encoder that the bundle was exported with.
        min_identical: share of captions that must be the same; None takes 1.0 for an fp32 bundle
            and 0.9 for an int8 one.

    Returns:
        `{"ok", "runtimes": {NAME: {"max_abs_log_prob_error", "mean_abs_log_prob_error", "steps",
        "captions_identical", "captions_total", "differences"}}, "skipped", "inputs",
        "min_identical", "tolerance"}`; errors in nats, tolerance None for int8.

    Raises:
        InputError: the bundle has another signature, vocabulary or decoding rule than the
            checkpoint, the inputs do not fit the model, or none of its runtimes is installed.
    """
    opened = open_bundle(bundle)
    captioner = reference_captioner(checkpoint, encoder, opened)
    images = _read(inputs, captioner) if inputs else synthetic_inputs(captioner)
    for given in images.values():
        check_inputs(captioner.signature.inputs, encoder_inputs(captioner.signature, given))
    sessions, skipped = open_sessions(opened)
    reports = {}
    for runtime, session in sessions.items():
        progress(f"comparing {runtime}")
        reports[runtime] = _compare(captioner, session, images).report()
    tolerance = FLOAT_TOLERANCE if _is_float(opened) else None
    if min_identical is None:
        min_identical = MIN_IDENTICAL_FLOAT if _is_float(opened) else MIN_IDENTICAL_INT8
    return {
        "ok": all(_passes(report, tolerance, min_identical) for report in reports.values()),
        "runtimes": reports,
        "skipped": skipped,
        "inputs": str(inputs) if inputs else f"{len(images)} random inputs, seed 0",
        "min_identical": min_identical,
        "tolerance": tolerance,
    }


def _read(path: Path, captioner: Captioner) -> dict[str, Given]:
    """Every input of a file or folder; the first that cannot be read raises."""
    return {
        name: given
        for file in input_files(path, captioner.image)
        for name, given in read_inputs(file, captioner.image).items()
    }


def synthetic_inputs(captioner: Captioner) -> dict[str, Given]:
    """Random pixels, or non-negative features, seed 0: good for parity, meaningless as images."""
    rng = np.random.default_rng(0)
    if captioner.image is not None:
        shape = captioner.image.shape
        numbers = range(len(_SYNTHETIC_REGIONS))
        return {f"random{i}": Picture(rng.integers(0, 256, shape, np.uint8)) for i in numbers}
    widths = {spec.name: spec.shape[-1] for spec in captioner.signature.inputs}
    images: dict[str, Given] = {}
    for regions in _SYNTHETIC_REGIONS:
        att, fc = (_random_rows(rng, regions, widths.get(name)) for name in ("att", "fc"))
        corners = np.sort(rng.uniform(0, 1, (2, regions, 2)).astype(np.float32), axis=0)
        box = np.concatenate(corners, axis=1)
        images[f"random{regions}"] = Features(att, fc.mean(0, dtype=np.float32), box)
    return images


def _random_rows(rng: np.random.Generator, rows: int, width: int | str | None) -> Array:
    """Of one column where the model does not read them."""
    columns = width if isinstance(width, int) else 1
    return np.maximum(rng.normal(0, 1, (rows, columns)), 0).astype(np.float32)


@one_thread()
def _compare(captioner: Captioner, session: Session, images: Mapping[str, Given]) -> RuntimeParity:
    parity = RuntimeParity()
    for name, given in images.items():
        arrays = encoder_inputs(captioner.signature, given)
        tensors = [torch.from_numpy(arrays[spec.name]) for spec in captioner.signature.inputs]
        tokens, expected = greedy(captioner, *tensors)
        errors = np.abs(forced_log_probs(session, given, tokens) - expected.numpy())
        parity.errors += list(errors)
        for beam in BEAMS:
            best = beam_search(captioner, beam, *tensors)[0]
            got = caption(session, given, beam)
            parity.captions_total += 1
            if list(got.tokens) == list(best.tokens):
                parity.captions_identical += 1
                continue
            text = captioner.vocabulary.text(best.tokens, captioner.decoding)
            parity.differences.append(
                {"input": name, "beam": beam, "expected": text, "caption": got.text}
            )
    return parity


def _is_float(bundle: Bundle) -> bool:
    return set(bundle.manifest.recipe.values()) == {"fp32"}


def _passes(report: Mapping[str, Any], tolerance: float | None, min_identical: float) -> bool:
    share = report["captions_identical"] / report["captions_total"]
    within = tolerance is None or report["max_abs_log_prob_error"] <= tolerance
    return bool(within and share >= min_identical and np.isfinite(report["max_abs_log_prob_error"]))
