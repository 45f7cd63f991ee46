"""Session + features or picture -> caption."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from capexport.errors import InputError
from capexport.runtime.decode import beam_search
from capexport.runtime.graph_runner import Array
from capexport.runtime.inputs import Given, encoder_inputs
from capexport.runtime.session import Session
from capexport.spec.signature import CaptionerSignature


@dataclass(frozen=True)
class Caption:
    """Token ids (with the end token when one was produced), summed log-probability, and text."""

    tokens: list[int]
    log_prob: float
    text: str


def caption(session: Session, given: Given, beam: int) -> Caption:
    """The best caption of one image; beam 1 is greedy decoding.

    Raises:
        InputError: what is given does not fit the model, or the beam is not from 1 to the
            vocabulary size.
    """
    check_beam(beam, session.signature)
    encoded = session.encode(encoder_inputs(session.signature, given))
    best = beam_search(
        lambda token, states: session.step(token, states, encoded),
        session.initial_states(beam, encoded),
        session.decoding,
        beam,
    )[0]
    text = session.vocabulary.text(best.tokens, session.decoding)
    return Caption(list(best.tokens), best.log_prob, text)


def check_beam(beam: int, signature: CaptionerSignature) -> None:
    """Raise InputError unless a first step has `beam` words to choose from."""
    if not 1 <= beam <= signature.vocabulary_size:
        raise InputError(
            f"the beam width is {beam}",
            where="beam",
            hint=f"use a beam from 1 to {signature.vocabulary_size}",
        )


def forced_log_probs(session: Session, given: Given, tokens: Sequence[int]) -> Array:
    """Log-probabilities float32 [len(tokens), vocabulary] of each step of a given caption.

    Step t reads the begin token for t = 0, otherwise tokens[t - 1]: two implementations that are
    forced along the same caption can be compared step by step.

    Raises:
        InputError: what is given, or the tokens, do not fit the model.
    """
    encoded = session.encode(encoder_inputs(session.signature, given))
    states = session.initial_states(1, encoded)
    rows = []
    for token in [session.decoding.bos, *tokens][: len(tokens)]:
        log_probs, states = session.step(np.array([token], np.int32), states, encoded)
        rows.append(log_probs[0])
    return np.stack(rows)
