"""Exported files against what the trainers' own code produced: tokens and log-probabilities."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from capexport.bundle import Bundle
from capexport.evaluate.parity import verify
from capexport.export import export
from capexport.runtime import (
    RUNTIMES,
    Features,
    Session,
    caption,
    forced_log_probs,
    open_session,
    read_features,
)

TOLERANCE = 2e-4
"""nats. Float32 implementations of the golden models differ by up to 1e-4; here two meet."""
FP16_TOLERANCE = 0.024
"""nats. What float16 weights cost on the golden sets, as their makers measured it."""
BEAMS = (1, 2, 3, 5)
TINY3 = "checkpoints/smp-updown-tiny-xe"
SMALL = "golden/updown_small_s90"
REAL, SYNTH = "golden/inputs_real.npz", "golden/inputs_synth.npz"
KINDS = (
    "model_best.pth",
    "model_best_bin_mask.pth",
    "model_best_pruned.pth",
    "model_best_pruned_sparse.pth",
    "model_best_pruned_sparse_float16.pth",
)

Export = Callable[..., Bundle]


@pytest.fixture(scope="module")
def bundles(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Export]:
    """Exports of the shared checkpoints, each made once."""

    @cache
    def make(checkpoint: str, recipe: str, weights: str) -> Bundle:
        out = tmp_path_factory.mktemp("bundle") / "bundle"
        return export(shared_data / checkpoint, out, recipe=recipe, weights=weights)

    yield make
    make.cache_clear()


def golden(shared_data: Path, name: str) -> dict[str, dict]:
    return json.loads((shared_data / "golden" / name / "golden.json").read_text())["images"]


def images(shared_data: Path, *files: str) -> dict[str, Features]:
    return {name: f for file in files for name, f in read_features(shared_data / file).items()}


def assert_golden(
    session: Session,
    expected: dict[str, dict],
    given: dict[str, Features],
    arrays: dict,
    bound: float,
) -> None:
    for image, entry in expected.items():
        for beam in BEAMS:
            if entry["stable"][str(beam)]:
                got, want = caption(session, given[image], beam), entry["beam"][str(beam)]
                assert got.tokens == want["ids"][0], (image, beam)
                assert got.text == want["caption"]
        tokens = entry.get("greedy_ids", entry["beam"]["1"]["ids"][0])
        log_probs = forced_log_probs(session, given[image], tokens)
        reference = arrays[f"{image}.greedy_logp"]
        np.testing.assert_allclose(log_probs, reference, rtol=0, atol=bound)


@pytest.mark.parametrize("weights", ["dense", "stock-sparse"])
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_published_model(shared_data: Path, bundles: Export, runtime: str, weights: str) -> None:
    session = open_session(bundles(TINY3, "fp32", weights), runtime)
    arrays = dict(np.load(shared_data / "golden/tiny3_xe/golden.npz"))
    given = images(shared_data, REAL)
    assert_golden(session, golden(shared_data, "tiny3_xe"), given, arrays, TOLERANCE)


@pytest.mark.parametrize(
    ("recipe", "weights"),
    [("fp32", "stock-sparse"), ("dynamic_wi8", "stock-sparse"), ("dynamic_wi8", "packed")],
)
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_published_captions(
    shared_data: Path, bundles: Export, runtime: str, recipe: str, weights: str
) -> None:
    """The two images whose captions the authors of the checkpoint published."""
    session = open_session(bundles(TINY3, recipe, weights), runtime)
    given = images(shared_data, REAL)
    for folder, image, beam in (("test_beam_2", "391895", 2), ("val_beam_1", "184613", 1)):
        published = json.loads((shared_data / TINY3 / folder / "caption_00096000.json").read_text())
        text = next(c["caption"] for c in published if c["image_id"] == int(image))
        assert caption(session, given[image], beam).text == text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_every_file_kind(shared_data: Path, bundles: Export, runtime: str, kind: str) -> None:
    session = open_session(bundles(f"{SMALL}/{kind}", "fp32", "dense"), runtime)
    arrays = dict(np.load(shared_data / SMALL / "golden.npz"))
    bound = FP16_TOLERANCE if "float16" in kind else TOLERANCE
    given = images(shared_data, REAL, SYNTH)
    assert_golden(session, golden(shared_data, "updown_small_s90"), given, arrays, bound)


@pytest.mark.parametrize(
    ("recipe", "weights"),
    [
        ("weight_only_wi8", "dense"),
        ("weight_only_wi8", "stock-sparse"),
        ("dynamic_wi8", "dense"),
        ("dynamic_wi8", "stock-sparse"),
        ("dynamic_wi8", "packed"),
    ],
)
def test_int8_keeps_the_captions_of_real_images(
    shared_data: Path, bundles: Export, recipe: str, weights: str
) -> None:
    """At least 14 of 15 captions (5 images, beams 1 to 3) stay what PyTorch says, per runtime."""
    bundle = bundles(TINY3, recipe, weights)
    report = verify(shared_data / TINY3, bundle.path, shared_data / REAL, min_identical=14 / 15)
    assert report["ok"], report
    assert set(report["runtimes"]) == set(RUNTIMES)


@pytest.mark.parametrize("recipe", ["fp32", "weight_only_wi8", "dynamic_wi8"])
@pytest.mark.parametrize(
    ("checkpoint", "files"), [(TINY3, (REAL,)), (SMALL, (REAL, SYNTH))], ids=["tiny3", "small"]
)
def test_both_formats_say_the_same(
    shared_data: Path, bundles: Export, checkpoint: str, files: tuple[str, ...], recipe: str
) -> None:
    """One set of int8 numbers and one rule of rounding: equal tokens on every golden input."""
    bundle = bundles(checkpoint, recipe, "dense")
    litert, onnxruntime = (open_session(bundle, runtime) for runtime in RUNTIMES)
    for name, features in images(shared_data, *files).items():
        for beam in BEAMS:
            first, second = (caption(s, features, beam) for s in (litert, onnxruntime))
            assert first.tokens == second.tokens, (name, beam)


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize(
    ("checkpoint", "files"), [(TINY3, (REAL,)), (SMALL, (REAL, SYNTH))], ids=["tiny3", "small"]
)
def test_packed_weights_change_nothing(
    shared_data: Path, bundles: Export, checkpoint: str, files: tuple[str, ...], runtime: str
) -> None:
    """The kernels round as the runtimes do: equal tokens on every golden input."""
    dense, packed = (
        open_session(bundles(checkpoint, "dynamic_wi8", weights), runtime)
        for weights in ("dense", "packed")
    )
    for name, features in images(shared_data, *files).items():
        for beam in BEAMS:
            first, second = (caption(s, features, beam) for s in (dense, packed))
            assert first.tokens == second.tokens, (name, beam)
