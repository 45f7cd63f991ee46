"""Transformer captioners as files: golden tokens, packed weights, each weight once."""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import pytest
from ai_edge_litert import schema_py_generated as schema
from golden_sets import BEAMS, TRANSFORMERS, GoldenSet
from onnx import numpy_helper

from capexport.bundle import Bundle
from capexport.captioner import build_captioner
from capexport.captioner.search import greedy
from capexport.checkpoint import read_checkpoint
from capexport.export import export
from capexport.runtime import RUNTIMES, Session, caption, forced_log_probs, open_session

TOLERANCE = 4e-4
"""nats. The geometry multiplies logarithms by 100: what two runtimes round differently there is
3e-5 of an angle, and up to 5e-4 of the memory."""
KINDS = ("model_best.pth", "model_best_bin_mask.pth", "model_best_pruned.pth")
"""Beside model_best_pruned_sparse.pth, which is read by default."""
HALF = "model_best_pruned_sparse_float16.pth"
"""Its weights are rounded, so its log-probabilities are held against torch on the same file."""
LEAST_EQUAL = 3
"""Images of each set in which no rounding turns: at least 5 of 11 where this was measured."""
ORT = "ort_small_s90"
LEAST_WEIGHT_BYTES = 1024
"""What is smaller (norms, biases, axes) may be equal by chance."""

Export = Callable[..., Bundle]


@pytest.fixture(scope="module")
def golden(shared_data: Path) -> Callable[[str], GoldenSet]:
    return cache(lambda name: GoldenSet(shared_data, name))


@pytest.fixture(scope="module")
def bundles(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Export]:
    """Exports of the golden checkpoints, each made once."""

    @cache
    def make(name: str, recipe: str, weights: str) -> Bundle:
        out = tmp_path_factory.mktemp("bundle") / "bundle"
        return export(shared_data / "golden" / name, out, recipe=recipe, weights=weights)

    yield make
    make.cache_clear()


def assert_golden(bundle: Bundle, runtime: str, expected: GoldenSet) -> None:
    session = open_session(bundle, runtime)
    assert_tokens(session, expected)
    for image, entry in expected.expected.items():
        log_probs = forced_log_probs(session, expected.images[image], entry["greedy_ids"])
        reference = expected.arrays[f"{image}.greedy_logp"]
        np.testing.assert_allclose(log_probs, reference, rtol=0, atol=TOLERANCE)


def assert_tokens(session: Session, expected: GoldenSet) -> None:
    for beam in BEAMS:
        for image, entry in expected.stable(beam).items():
            got = caption(session, expected.images[image], beam)
            assert got.tokens == entry["ids"][0], (image, beam)
            assert got.text == entry["caption"]


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("name", TRANSFORMERS)
def test_float_files_give_the_golden_tokens(
    golden: Callable[[str], GoldenSet], bundles: Export, name: str, runtime: str
) -> None:
    assert_golden(bundles(name, "fp32", "dense"), runtime, golden(name))


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_file_kind(
    golden: Callable[[str], GoldenSet], bundles: Export, kind: str, runtime: str
) -> None:
    assert_golden(bundles(f"{ORT}/{kind}", "fp32", "dense"), runtime, golden(ORT))


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_weights_of_half_precision(
    shared_data: Path, golden: Callable[[str], GoldenSet], bundles: Export, runtime: str
) -> None:
    expected = golden(ORT)
    session = open_session(bundles(f"{ORT}/{HALF}", "fp32", "dense"), runtime)
    assert_tokens(session, expected)
    captioner = build_captioner(read_checkpoint(shared_data / "golden" / ORT / HALF))
    for image in expected.expected:
        tokens, reference = greedy(captioner, *expected.tensors(image))
        log_probs = forced_log_probs(session, expected.images[image], tokens)
        np.testing.assert_allclose(log_probs, reference.numpy(), rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_packed_weights_change_nothing(
    golden: Callable[[str], GoldenSet], bundles: Export, runtime: str
) -> None:
    dense, packed = (
        open_session(bundles(ORT, "dynamic_wi8", weights), runtime)
        for weights in ("dense", "packed")
    )
    for image, features in golden(ORT).images.items():
        for beam in BEAMS:
            first, second = (caption(s, features, beam) for s in (dense, packed))
            assert first.tokens == second.tokens, (image, beam)


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_int8_formats_differ_by_less_than_int8_costs(
    golden: Callable[[str], GoldenSet], bundles: Export, name: str
) -> None:
    """Floats between two int8 layers differ in their last bits, so now and then a rounding turns.

    In images where none does, the formats agree to float accuracy.
    """
    bundle, expected = bundles(name, "dynamic_wi8", "dense"), golden(name)
    litert, onnxruntime = (open_session(bundle, runtime) for runtime in RUNTIMES)
    between, cost = [], []
    for image, entry in expected.expected.items():
        features, tokens = expected.images[image], entry["greedy_ids"]
        one, other = (forced_log_probs(s, features, tokens) for s in (litert, onnxruntime))
        between.append(np.abs(one - other).max())
        cost.append(np.abs(one - expected.arrays[f"{image}.greedy_logp"]).max())
    assert np.mean(between) < np.mean(cost)
    assert np.count_nonzero(np.array(between) < TOLERANCE) >= LEAST_EQUAL


@pytest.mark.parametrize("recipe", ["fp32", "dynamic_wi8"])
def test_weights_that_layers_share_are_stored_once(bundles: Export, recipe: str) -> None:
    """ACORT's twelve layers have the weights of four; its published file repeats them."""
    bundle = bundles("acort_small_dense", recipe, "dense")
    for graph in ("encoder", "decoder_step"):
        model = schema.ModelT.InitFromObj(
            schema.Model.GetRootAs(bundle.file(f"{graph}.tflite").read_bytes(), 0)
        )
        arrays = [buffer.data for buffer in model.buffers if buffer.data is not None]
        assert_distinct([np.asarray(array).tobytes() for array in arrays])
        stored = onnx.load(bundle.file(f"{graph}.onnx")).graph.initializer
        assert_distinct([numpy_helper.to_array(tensor).tobytes() for tensor in stored])


def assert_distinct(stored: list[bytes]) -> None:
    weights = Counter(data for data in stored if len(data) >= LEAST_WEIGHT_BYTES)
    assert len(weights) > 4
    assert max(weights.values()) == 1
