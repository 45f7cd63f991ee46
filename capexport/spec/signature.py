"""The contract between a captioner's two graphs and whoever runs them: named tensors and states.

A dimension is a number, or the name of an axis whose length the caller chooses at run time.
"""

from dataclasses import dataclass

Dimension = int | str
Shape = tuple[Dimension, ...]

BEAMS = "beams"
"""Axis of hypotheses: every decoder state and the token have it first."""
REGIONS = "regions"
"""Axis of image regions (bottom-up boxes or grid cells)."""

NEXT = "_next"
"""Suffix of a state's value after the step: input `h` comes back as output `h_next`."""

TOKEN = "token"
LOG_PROBS = "log_probs"


@dataclass(frozen=True)
class TensorSpec:
    """Name, shape and numpy dtype name of one graph input or output."""

    name: str
    shape: Shape
    dtype: str = "float32"


@dataclass(frozen=True)
class StateSpec:
    """A tensor that the decoder step reads and returns, one row per hypothesis.

    Beam search gathers it along axis 0 and knows nothing else about it. It starts as zeros.
    """

    name: str
    shape: Shape
    dtype: str = "float32"

    @property
    def next_name(self) -> str:
        return self.name + NEXT


@dataclass(frozen=True)
class CaptionerSignature:
    """Everything a host needs to drive the encoder and the decoder step.

    Args:
        inputs: what the encoder takes, one image at a time.
        memory: what the encoder returns and every decoder step reads; shared by all beams.
        states: what the decoder step reads and returns.
        vocabulary_size: width of the decoder's log-probabilities.
    """

    inputs: tuple[TensorSpec, ...]
    memory: tuple[TensorSpec, ...]
    states: tuple[StateSpec, ...]
    vocabulary_size: int

    @property
    def step_inputs(self) -> tuple[TensorSpec, ...]:
        """token [beams] int32, then the states, then the memory."""
        states = tuple(TensorSpec(s.name, s.shape, s.dtype) for s in self.states)
        return (TensorSpec(TOKEN, (BEAMS,), "int32"), *states, *self.memory)

    @property
    def step_outputs(self) -> tuple[TensorSpec, ...]:
        """log_probs [beams, vocabulary], then the next value of every state."""
        log_probs = TensorSpec(LOG_PROBS, (BEAMS, self.vocabulary_size))
        return (log_probs, *(TensorSpec(s.next_name, s.shape, s.dtype) for s in self.states))
