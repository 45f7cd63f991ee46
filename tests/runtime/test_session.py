"""Every runtime computes what numpy computes, and refuses what the manifest does not declare."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runtime import tiny_captioner
from runtime.tiny_captioner import FEATURES, SIGNATURE, VOCABULARY, WIDTH

from capexport.bundle import GRAPH_SUFFIXES, Bundle, create_bundle
from capexport.errors import BundleError, InputError, RuntimeMissingError
from capexport.runtime import BACKENDS, RUNTIMES, Session, encoder_inputs, open_session
from capexport.runtime.graph_runner import Array
from capexport.spec.signature import StateSpec, TensorSpec

FLOAT_TOLERANCE = 1e-5
"""Largest difference in nats or units between numpy and a runtime, all in float32."""

Tensors = dict[str, Array]


def memory_of(session: Session, regions: int) -> Tensors:
    return session.encode(encoder_inputs(SIGNATURE, tiny_captioner.features(regions)))


def assert_close(given: Tensors, expected: Tensors) -> None:
    assert set(given) == set(expected)
    for name, array in expected.items():
        assert given[name].dtype == np.float32
        np.testing.assert_allclose(given[name], array, rtol=0, atol=FLOAT_TOLERANCE)


@pytest.mark.parametrize("regions", [1, 100, 36, 2])
def test_encoder_is_right_for_any_number_of_regions(session: Session, regions: int) -> None:
    features = tiny_captioner.features(regions)
    expected = tiny_captioner.encode(features.att, features.fc[np.newaxis])
    assert_close(memory_of(session, regions), expected)


@pytest.mark.parametrize("beams", [1, 3, 5, 2])
@pytest.mark.parametrize("regions", [1, 36])
def test_steps_are_right_for_any_number_of_beams(
    session: Session, beams: int, regions: int
) -> None:
    memory = memory_of(session, regions)
    states = expected_states = session.initial_states(beams, memory)
    for position in range(4):
        token = (np.arange(beams, dtype=np.int32) + position) % VOCABULARY
        log_probs, states = session.step(token, states, memory)
        expected, expected_states = tiny_captioner.step(token, expected_states, memory)
        assert_close({"log_probs": log_probs, **states}, {"log_probs": expected, **expected_states})


def test_results_stay_valid_through_the_next_step(session: Session) -> None:
    memory = memory_of(session, 3)
    token, states = np.array([4], np.int32), session.initial_states(1, memory)
    log_probs, first = session.step(token, states, memory)
    kept = log_probs.copy(), {name: state.copy() for name, state in first.items()}
    session.step(token + 1, first, memory)
    np.testing.assert_array_equal(log_probs, kept[0])
    assert all(np.array_equal(first[name], kept[1][name]) for name in first)


def test_views_with_strides_are_read_as_their_values(session: Session) -> None:
    att = np.random.default_rng(1).normal(size=(FEATURES, 4)).astype(np.float32).T
    fc = np.ones((1, 2 * FEATURES), np.float32)[:, ::2]
    assert_close(session.encode({"att": att, "fc": fc}), tiny_captioner.encode(att, fc))


def test_initial_states_are_zeros_of_the_declared_kind(session: Session) -> None:
    states = session.initial_states(3, {})
    assert {name: state.shape for name, state in states.items()} == {
        "h": (3, WIDTH),
        "g": (3, WIDTH),
    }
    assert all(state.dtype == np.float32 and not state.any() for state in states.values())


def test_threads_do_not_change_the_result(runtime: str, bundle: Bundle, session: Session) -> None:
    assert_close(memory_of(open_session(bundle, runtime, threads=2), 36), memory_of(session, 36))


ATT = np.zeros((3, FEATURES), np.float32)
FC = np.zeros((1, FEATURES), np.float32)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"att": ATT}, "the input fc is missing"),
        ({"att": ATT, "fc": FC, "image": FC}, "there is no input 'image'"),
        ({"att": ATT[0], "fc": FC}, r"att must be float32 \[regions, 6\], it is float32 \[6\]"),
        ({"att": ATT[None], "fc": FC}, r"it is float32 \[1, 3, 6\]"),
        ({"att": ATT[:, :5], "fc": FC}, r"\[regions, 6\], it is float32 \[3, 5\]"),
        ({"att": ATT[:0], "fc": FC}, r"it is float32 \[0, 6\]"),
        ({"att": ATT, "fc": FC[0]}, r"fc must be float32 \[1, 6\], it is float32 \[6\]"),
        ({"att": ATT.astype(np.float64), "fc": FC}, r"att .* it is float64 \[3, 6\]"),
        ({"att": ATT.astype(np.int8), "fc": FC}, r"att .* it is int8 \[3, 6\]"),
    ],
)
def test_encoder_inputs_that_do_not_fit(session: Session, inputs: Tensors, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        session.encode(inputs)
    assert caught.value.where.startswith("input ")


def drop_state(token: Array, states: Tensors, memory: Tensors) -> tuple[Any, ...]:
    return token, {"h": states["h"]}, memory


def one_beam_less(token: Array, states: Tensors, memory: Tensors) -> tuple[Any, ...]:
    return token[:1], states, memory


def wide_token(token: Array, states: Tensors, memory: Tensors) -> tuple[Any, ...]:
    return token.astype(np.int64), states, memory


def scalar_token(token: Array, states: Tensors, memory: Tensors) -> tuple[Any, ...]:
    return token[0], states, memory


def negative_token(token: Array, states: Tensors, memory: Tensors) -> tuple[Any, ...]:
    return token - 5, states, memory


def token_too_large(token: Array, states: Tensors, memory: Tensors) -> tuple[Any, ...]:
    return token + VOCABULARY, states, memory


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop_state, "the input g is missing"),
        (one_beam_less, r"h must be float32 \[beams, 5\], it is float32 \[2, 5\]"),
        (wide_token, r"token must be int32 \[beams\], it is int64 \[2\]"),
        (scalar_token, r"it is int32 \[\]"),
        (negative_token, "a token is outside 0 to 10"),
        (token_too_large, "a token is outside 0 to 10"),
    ],
)
def test_step_inputs_that_do_not_fit(
    session: Session, change: Callable[..., tuple[Any, ...]], message: str
) -> None:
    arguments = np.zeros(2, np.int32), session.initial_states(2, {}), memory_of(session, 3)
    with pytest.raises(InputError, match=message):
        session.step(*change(*arguments))


def test_axes_of_different_length_are_named_in_the_hint(session: Session) -> None:
    with pytest.raises(InputError) as caught:
        session.step(np.zeros(1, np.int32), session.initial_states(2, {}), memory_of(session, 3))
    assert "beams = 1" in caught.value.hint


def test_overflow_in_the_model_is_loud(session: Session) -> None:
    memory = {name: array * np.float32(np.inf) for name, array in memory_of(session, 2).items()}
    with pytest.raises(InputError, match="NaN"):
        session.step(np.zeros(1, np.int32), session.initial_states(1, memory), memory)


def test_unknown_runtime(bundle: Bundle) -> None:
    with pytest.raises(InputError, match="no runtime 'tvm'") as caught:
        open_session(bundle, "tvm")
    assert all(name in caught.value.hint for name in RUNTIMES)


def test_runtime_that_the_bundle_has_no_graphs_for(bundle: Bundle, runtime: str) -> None:
    other = next(name for name in RUNTIMES if name != runtime)
    with pytest.raises(InputError, match=f"no graphs for {other}") as caught:
        open_session(bundle, other)
    assert runtime in caught.value.hint


@pytest.mark.parametrize("threads", [0, -1, 257, 100_000])
def test_numbers_of_threads_that_would_crash_a_runtime(
    bundle: Bundle, runtime: str, threads: int
) -> None:
    with pytest.raises(InputError, match=f"{threads} threads"):
        open_session(bundle, runtime, threads=threads)


def test_runtime_that_is_not_installed(
    bundle: Bundle, runtime: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.path", [])  # neither a package nor its metadata is found then
    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)
    with pytest.raises(RuntimeMissingError, match=f"{runtime} is not installed") as caught:
        open_session(bundle, runtime)
    assert caught.value.hint == f"pip install 'capexport[{runtime}]'"


def test_runtime_that_cannot_be_imported(
    bundle: Bundle, runtime: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("ai_edge_litert.interpreter", "onnxruntime"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(RuntimeMissingError) as caught:
        open_session(bundle, runtime)
    assert f"pip install 'capexport[{runtime}]'" in caught.value.hint


def with_manifest(bundle: Bundle, out: Path, **changes: Any) -> Bundle:
    """The same graph files under a changed manifest."""
    names = [*bundle.manifest.graph_files, "card.md"]
    files = {name: bundle.read(name) for name in names}
    return create_bundle(out, replace(bundle.manifest, files=(), **changes), files, force=False)


def test_runtime_that_is_too_old(bundle: Bundle, runtime: str, tmp_path: Path) -> None:
    newer = with_manifest(bundle, tmp_path / "out", minimum_runtime={runtime: "1000.2"})
    with pytest.raises(RuntimeMissingError, match=rf"needs {runtime} 1000\.2 or later"):
        open_session(newer, runtime)


def test_runtime_that_is_just_new_enough(bundle: Bundle, runtime: str, tmp_path: Path) -> None:
    minimum = {runtime: "1.9", "other": "1000"}
    open_session(with_manifest(bundle, tmp_path / "out", minimum_runtime=minimum), runtime)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"inputs": (TensorSpec("att", ("regions", 6)),)}, "the inputs are"),
        ({"states": (StateSpec("h", ("beams", 5)),)}, "the inputs are"),
        ({"memory": (TensorSpec("values", ("regions", 5)),)}, "the outputs are"),
    ],
)
def test_graphs_that_differ_from_the_manifest(
    bundle: Bundle, runtime: str, changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    other = with_manifest(bundle, tmp_path / "out", signature=replace(SIGNATURE, **changes))
    with pytest.raises(BundleError, match=message):
        open_session(other, runtime)


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("data", [b"", b"no graph at all"])
def test_file_that_is_no_graph(runtime: str, data: bytes, tmp_path: Path) -> None:
    files = {name + GRAPH_SUFFIXES[runtime]: data for name in ("encoder", "decoder_step")}
    out = tmp_path / "out"
    bundle = create_bundle(out, tiny_captioner.manifest(runtime), files, force=False)
    with pytest.raises(BundleError, match=f"{runtime} cannot open the graph") as caught:
        open_session(bundle, runtime)
    assert str(out) in caught.value.where


def test_every_backend_has_a_file_suffix() -> None:
    assert set(BACKENDS) == set(GRAPH_SUFFIXES)
