"""A decoder step's states before and after it, as the host keeps them."""

from collections.abc import Mapping, Sequence

import numpy as np

from capexport.errors import InputError
from capexport.runtime.graph_runner import Array
from capexport.spec.signature import COUNTED, REPLACED, StateSpec

Tensors = Mapping[str, Array]


def initial_states(specs: Sequence[StateSpec], beams: int, encoded: Tensors) -> dict[str, Array]:
    """Every state before the first step, [beams, ...]: zeros, or what the encoder returned."""
    states = {}
    for spec in specs:
        if spec.start is None:
            lengths = [d if isinstance(d, int) else beams for d in spec.shape]
            states[spec.name] = np.zeros(lengths, spec.dtype)
        else:
            states[spec.name] = np.repeat(encoded[spec.start], beams, axis=0)
    return states


def next_states(specs: Sequence[StateSpec], states: Tensors, outputs: Tensors) -> dict[str, Array]:
    """Every state after a step that read `states` and returned `outputs`; both are left as is.

    Raises:
        InputError: a cache is full.
    """
    steps = _steps_before(specs, states)
    following = {}
    for spec in specs:
        if spec.update == REPLACED:
            following[spec.name] = outputs[spec.next_name]
        elif spec.update == COUNTED:
            following[spec.name] = states[spec.name] + np.int32(1)
        else:
            following[spec.name] = _appended(spec, states[spec.name], outputs, steps)
    return following


def _steps_before(specs: Sequence[StateSpec], states: Tensors) -> int:
    """Beams of one search have all made the same number of steps."""
    counters = [states[spec.name] for spec in specs if spec.update == COUNTED]
    return int(counters[0][0]) if counters else 0


def _appended(spec: StateSpec, cache: Array, outputs: Tensors, steps: int) -> Array:
    first = steps * spec.rows
    if first + spec.rows > cache.shape[1]:
        raise InputError(
            f"the cache holds {cache.shape[1] // spec.rows} steps, this is one more",
            where=f"state {spec.name}",
            hint="start from initial_states for every caption",
        )
    cache = cache.copy()
    cache[:, first : first + spec.rows] = outputs[spec.next_name]
    return cache
