"""States before and after a step, each way of going on."""

import numpy as np
import pytest

from capexport.errors import InputError
from capexport.runtime.states import initial_states, next_states
from capexport.spec.signature import APPENDED, BEAMS, COUNTED, CaptionerSignature, StateSpec

STATES = (
    StateSpec("h", (BEAMS, 3), start="h_start"),
    StateSpec("position", (BEAMS,), "int32", update=COUNTED),
    StateSpec("keys", (BEAMS, 4, 3), update=APPENDED, rows=2),
)
START = {"h_start": np.arange(3, dtype=np.float32)[np.newaxis]}


def outputs(value: float) -> dict[str, np.ndarray]:
    rows = np.full((2, 2, 3), value, np.float32)
    rows[1] = -value
    return {"h_next": np.full((2, 3), value, np.float32), "keys_next": rows}


def test_states_start_at_zero_or_where_the_encoder_says() -> None:
    states = initial_states(STATES, 2, START)
    assert states["h"].tolist() == [[0, 1, 2]] * 2
    assert states["position"].tolist() == [0, 0]
    assert states["position"].dtype == np.int32
    assert states["keys"].shape == (2, 4, 3)
    assert not states["keys"].any()


def test_a_cache_is_filled_step_by_step_and_the_past_is_left_alone() -> None:
    before = initial_states(STATES, 2, START)
    first = next_states(STATES, before, outputs(1))
    second = next_states(STATES, first, outputs(2))
    assert not before["keys"].any()
    assert first["keys"][0, :, 0].tolist() == [1, 1, 0, 0]
    assert second["keys"][0, :, 0].tolist() == [1, 1, 2, 2]
    assert second["keys"][1, :, 0].tolist() == [-1, -1, -2, -2]
    assert second["position"].tolist() == [2, 2]
    assert second["h"].tolist() == [[2] * 3] * 2


def test_a_full_cache_is_refused() -> None:
    states = initial_states(STATES, 2, START)
    for value in (1, 2):
        states = next_states(STATES, states, outputs(value))
    with pytest.raises(InputError, match="holds 2 steps"):
        next_states(STATES, states, outputs(3))


def test_step_outputs_are_what_the_host_needs() -> None:
    signature = CaptionerSignature((), (), STATES, vocabulary_size=7)
    shapes = {spec.name: spec.shape for spec in signature.step_outputs}
    assert shapes == {"log_probs": (BEAMS, 7), "h_next": (BEAMS, 3), "keys_next": (BEAMS, 2, 3)}
    assert [spec.shape for spec in signature.encoder_outputs] == [(1, 3)]


def test_a_cache_without_a_counter_is_refused() -> None:
    with pytest.raises(ValueError, match="counted"):
        CaptionerSignature((), (), STATES[2:], vocabulary_size=7)
