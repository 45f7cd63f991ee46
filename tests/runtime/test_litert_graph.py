"""The LiteRT backend allocates memory when a shape changes, and only then."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runtime import tiny_captioner

from capexport.runtime.backends.litert import LiteRtGraph
from capexport.runtime.graph_runner import Array


class CountingInterpreter:
    """LiteRT's interpreter with a count of its allocations."""

    def __init__(self, interpreter: Any) -> None:
        self.interpreter = interpreter
        self.allocations = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.interpreter, name)

    def allocate_tensors(self) -> None:
        self.allocations += 1
        self.interpreter.allocate_tensors()


@pytest.fixture
def interpreter(tmp_path: Path) -> CountingInterpreter:
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    path = tiny_captioner.litert_bundle(tmp_path / "tiny").file("encoder.tflite")
    return CountingInterpreter(litert.Interpreter(model_path=str(path)))


def inputs(regions: int) -> dict[str, Array]:
    features = tiny_captioner.features(regions, seed=regions)
    return {"att": features.att, "fc": features.fc[np.newaxis]}


def test_memory_is_allocated_once_per_change_of_shape(interpreter: CountingInterpreter) -> None:
    graph = LiteRtGraph(interpreter)
    for regions, allocations in ((3, 1), (3, 1), (5, 2), (5, 2), (3, 3)):
        graph.run(inputs(regions))
        assert interpreter.allocations == allocations


def test_failed_resize_is_not_taken_for_an_allocation(interpreter: CountingInterpreter) -> None:
    graph = LiteRtGraph(interpreter)
    expected = graph.run(inputs(3))
    wrong = {**inputs(3), "fc": np.zeros((2, tiny_captioner.FEATURES), np.float32)}
    with pytest.raises((ValueError, RuntimeError)):
        graph.run(wrong)
    for name, array in graph.run(inputs(3)).items():
        np.testing.assert_array_equal(array, expected[name])
    assert interpreter.allocations == 2
