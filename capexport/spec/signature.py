"""The contract between a captioner's two graphs and whoever runs them: named tensors and states.

A dimension is a number, or the name of an axis whose length the caller chooses at run time.
"""

from dataclasses import dataclass
from typing import Literal

Dimension = int | str
Shape = tuple[Dimension, ...]

BEAMS = "beams"
"""Axis of hypotheses: every decoder state and the token have it first."""
REGIONS = "regions"
"""Axis of image regions (bottom-up boxes or grid cells)."""

NEXT = "_next"
"""Suffix of a state's value after the step: input `h` comes back as output `h_next`."""

IMAGE = "image"
"""The one encoder input of a captioner that takes pictures: uint8 RGB [1, height, width, 3]."""
TOKEN = "token"
LOG_PROBS = "log_probs"

Update = Literal["replaced", "appended", "counted"]
"""What becomes of a state after a step; see `StateSpec`."""
REPLACED: Update = "replaced"
APPENDED: Update = "appended"
COUNTED: Update = "counted"


@dataclass(frozen=True)
class TensorSpec:
    """Name, shape and numpy dtype name of one graph input or output."""

    name: str
    shape: Shape
    dtype: str = "float32"


@dataclass(frozen=True)
class StateSpec:
    """A tensor that the decoder step reads, one row per hypothesis, and its value afterwards.

    Beam search gathers it along axis 0 and knows nothing else about it.

    Args:
        name, shape, dtype: of the step's input; the first axis is BEAMS.
        start: the encoder output [1, ...] that every hypothesis starts from; None starts at zeros.
        update: REPLACED: the step returns the whole next value, `NAME_next`.
            APPENDED: a cache [BEAMS, capacity, ...] of which the step returns only the next `rows`
            along axis 1; the host writes them, at `rows` times the number of steps before. The step
            must mask what is not written yet.
            COUNTED: int32 [BEAMS], the number of steps before; the host adds one.
        rows: rows that one step appends.
    """

    name: str
    shape: Shape
    dtype: str = "float32"
    start: str | None = None
    update: Update = REPLACED
    rows: int = 1

    @property
    def next_name(self) -> str:
        return self.name + NEXT

    @property
    def next_shape(self) -> Shape:
        """Shape of what the step returns; a counted state has none to return."""
        if self.update == APPENDED:
            return (self.shape[0], self.rows, *self.shape[2:])
        return self.shape


@dataclass(frozen=True)
class CaptionerSignature:
    """Everything a host needs to drive the encoder and the decoder step.

    Args:
        inputs: what the encoder takes, one image at a time.
        memory: what the encoder returns and every decoder step reads; shared by all beams.
        states: what the decoder step reads, and how it goes on.
        vocabulary_size: width of the decoder's log-probabilities.

    Raises:
        ValueError: a state is appended to and none counts the steps.
    """

    inputs: tuple[TensorSpec, ...]
    memory: tuple[TensorSpec, ...]
    states: tuple[StateSpec, ...]
    vocabulary_size: int

    def __post_init__(self) -> None:
        updates = {state.update for state in self.states}
        if APPENDED in updates and COUNTED not in updates:
            raise ValueError("a cache needs a counted state, which says where to write")

    @property
    def encoder_outputs(self) -> tuple[TensorSpec, ...]:
        """The memory, then what states start from, in the order of the states."""
        starts = (
            TensorSpec(state.start, (1, *state.shape[1:]), state.dtype)
            for state in self.states
            if state.start is not None
        )
        return (*self.memory, *starts)

    @property
    def step_inputs(self) -> tuple[TensorSpec, ...]:
        """token [beams] int32, then the states, then the memory."""
        states = tuple(TensorSpec(s.name, s.shape, s.dtype) for s in self.states)
        return (TensorSpec(TOKEN, (BEAMS,), "int32"), *states, *self.memory)

    @property
    def step_outputs(self) -> tuple[TensorSpec, ...]:
        """log_probs [beams, vocabulary], then what comes next for every state but a counted one."""
        log_probs = TensorSpec(LOG_PROBS, (BEAMS, self.vocabulary_size))
        following = (
            TensorSpec(state.next_name, state.next_shape, state.dtype)
            for state in self.states
            if state.update != COUNTED
        )
        return (log_probs, *following)
