"""The LiteRT backend on packed weights: it brings the kernels, or says what is amiss."""

from pathlib import Path

import numpy as np
import pytest
from packed_files import packed
from runtime import tiny_captioner
from runtime.tiny_captioner import SIGNATURE

from capexport.bundle import Bundle, create_bundle
from capexport.compress import RECIPES, apply_recipe
from capexport.errors import RuntimeMissingError
from capexport.ir.evaluate import evaluate
from capexport.ir.graph import Graph
from capexport.kernels import compiler
from capexport.runtime import encoder_inputs, open_session
from capexport.runtime.backends import litert
from capexport.writers import tflite

TOLERANCE = 1e-5
"""A few float32 operators on numbers near 1; the products themselves are exact."""
GRAPHS = {
    graph.name: packed(apply_recipe(graph, RECIPES["dynamic_wi8"]))
    for graph in (tiny_captioner.encoder_graph(), tiny_captioner.decoder_step_graph())
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    pytest.importorskip("ai_edge_litert")
    files = {f"{name}.tflite": tflite.write(graph) for name, graph in GRAPHS.items()}
    manifest = tiny_captioner.manifest("litert", weights="packed")
    return create_bundle(tmp_path_factory.mktemp("packed") / "tiny", manifest, files, force=False)


@pytest.fixture
def no_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache, and nothing to fill it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(compiler, "_host_compiler", lambda: None)


def assert_close(graph: Graph, inputs: dict[str, np.ndarray], got: dict[str, np.ndarray]) -> None:
    for name, array in evaluate(graph, inputs).items():
        np.testing.assert_allclose(got[name], array, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("beams", [1, 5])
def test_a_session_runs_packed_graphs(bundle: Bundle, beams: int, threads: int) -> None:
    session = open_session(bundle, "litert", threads)
    inputs = encoder_inputs(SIGNATURE, tiny_captioner.features(7))
    memory = session.encode(inputs)
    assert_close(GRAPHS["encoder"], inputs, memory)
    token, states = np.arange(beams, dtype=np.int32), session.initial_states(beams, memory)
    log_probs, following = session.step(token, states, memory)
    got = {"log_probs": log_probs, **{s.next_name: following[s.name] for s in SIGNATURE.states}}
    assert_close(GRAPHS["decoder_step"], {"token": token, **states, **memory}, got)


@pytest.mark.usefixtures("no_compiler")
def test_without_a_compiler_the_bundle_is_refused(bundle: Bundle) -> None:
    with pytest.raises(RuntimeMissingError, match="no C compiler") as caught:
        open_session(bundle, "litert")
    assert "install" in caught.value.hint


@pytest.mark.usefixtures("no_compiler")
def test_a_dense_bundle_needs_no_compiler(tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    open_session(tiny_captioner.litert_bundle(tmp_path / "tiny"), "litert")


def test_a_library_that_does_not_load_is_named(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "libcapexport_litert.so"
    library.write_bytes(b"no library")
    monkeypatch.setattr(litert, "litert_delegate", lambda **options: (str(library), {}))
    with pytest.raises(RuntimeMissingError, match="cannot load the kernels") as caught:
        open_session(bundle, "litert")
    assert caught.value.where == str(library)
