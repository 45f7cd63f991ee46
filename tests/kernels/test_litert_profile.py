"""LiteRT's profiler through our interface: each run's operators and their tensors' names."""

import numpy as np
import pytest
from compiled_files import Save, one_operator
from compiled_models import CompiledGraph, GraphError

INPUTS = {"x": np.ones((2, 600), np.float32)}


def test_the_last_run_is_told_and_has_its_tensors_names(save: Save) -> None:
    with CompiledGraph(save(one_operator()), profiled=True) as graph:
        assert graph.profile() == ([], 0)
        for _ in range(3):
            graph.run(INPUTS)
            (event,), count = graph.profile()
            assert count == 1
            assert event.name == b"CapexportSparseInt8Linear"
            assert not event.is_delegated
            assert event.output == b"y0"
            assert list(event.inputs[: event.input_count])[:2] == [b"x", b"w.cksb"]
            assert event.microseconds >= 0


def test_more_events_than_there_is_room_for_are_counted(save: Save) -> None:
    with CompiledGraph(save(one_operator()), profiled=True) as graph:
        graph.run(INPUTS)
        assert graph.profile(most=0) == ([], 1)


def test_profiling_changes_no_result(save: Save) -> None:
    path = save(one_operator())
    with CompiledGraph(path) as plain, CompiledGraph(path, profiled=True) as profiled:
        expected, got = plain.run(INPUTS), profiled.run(INPUTS)
    assert {name: y.tobytes() for name, y in got.items()} == {
        name: y.tobytes() for name, y in expected.items()
    }


def test_a_graph_that_was_not_opened_for_it(save: Save) -> None:
    with CompiledGraph(save(one_operator())) as graph:
        graph.run(INPUTS)
        with pytest.raises(GraphError, match="was not opened as profiled"):
            graph.profile()
