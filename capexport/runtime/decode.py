"""A step function -> the best captions: beam search that knows no architecture, only states.

Two rules, by `Decoding.refill`. The papers' trainers: plain sum of log-probabilities, no length
term, and the `beam` best finished captions win. They always run to the length limit; this search
stops as soon as no live hypothesis can change the result, which is exact because a log-probability
is never positive. transformers' `generate`: hypotheses that ended are replaced at once, captions
are ranked with a length penalty, and the same stop is its own heuristic. Sums are float32.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from capexport.runtime.graph_runner import Array
from capexport.spec.decoding import Decoding

States = Mapping[str, Array]
Step = Callable[[Array, States], tuple[Array, States]]
"""token int32 [beams], states [beams, ...] -> log_probs [beams, vocabulary], next states."""

UNK_PENALTY = np.float32(1000)
"""nats taken from the unknown word in beam search, where the lineage suppresses it."""


@dataclass(frozen=True)
class Hypothesis:
    """A caption: token ids, with the end token when one was produced, and their summed log-prob."""

    tokens: tuple[int, ...]
    log_prob: float


@dataclass(frozen=True)
class _Live:
    """An unfinished hypothesis and the row of the last step that it came from."""

    hypothesis: Hypothesis
    row: int


def beam_search(step: Step, states: States, decoding: Decoding, beam: int) -> list[Hypothesis]:
    """At most `beam` captions, best first. Beam 1 is greedy decoding.

    Among equals the lower token id and the earlier beam win, and an earlier end before a later one.
    `suppress_unk` holds for beam > 1 only, as in the lineage that has it.

    Args:
        step: always called with exactly `beam` rows. Rows without a live hypothesis hold the end
            token and any state; their results are ignored. Log-probabilities are never NaN.
        states: initial states, each [beam, ...].
        decoding: token ids and the length limit.
        beam: hypotheses, from 1 to the vocabulary size.
    """
    live = [_Live(Hypothesis((), 0.0), 0)]
    finished: list[Hypothesis] = []
    candidates = 2 * beam if decoding.refill else beam  # at most `beam` of them end by one `eos`
    tokens = np.full(beam, decoding.bos, np.int32)
    for length in range(1, decoding.max_length + 1):
        log_probs, states = step(tokens, states)
        grown = _grow(live, _suppressed(log_probs[: len(live)], decoding, beam), candidates)
        at_limit = length == decoding.max_length
        ended = [one for one in grown if at_limit or one.hypothesis.tokens[-1] == decoding.eos]
        live = [one for one in grown if one not in ended][:beam]
        finished += [one.hypothesis for one in grown[:beam] if one in ended]
        finished.sort(key=lambda one: -_score(one, decoding))  # stable: earlier ends first
        if not live or _decided(finished, live, decoding, beam):
            break
        tokens, states = _next_rows(live, states, decoding.eos, beam)
    return finished[:beam]


def _score(hypothesis: Hypothesis, decoding: Decoding) -> np.float32:
    """What captions are ranked by."""
    length = len(hypothesis.tokens) ** decoding.length_penalty
    return np.float32(hypothesis.log_prob) / np.float32(length)


def top(values: Array, count: int) -> Array:
    """Indices of the `count` largest of `values` [n], largest first, the lower index among equals.

    Linear in n but for the sort of the few chosen. np.argpartition alone picks any of the equals.
    """
    count = min(count, len(values))
    threshold = np.partition(values, len(values) - count)[len(values) - count]
    candidates = np.flatnonzero(values >= threshold)
    return candidates[np.argsort(-values[candidates], kind="stable")][:count]


def _suppressed(log_probs: Array, decoding: Decoding, beam: int) -> Array:
    if beam == 1 or not decoding.suppress_unk or decoding.unk is None:
        return log_probs
    log_probs = log_probs.copy()
    log_probs[:, decoding.unk] -= UNK_PENALTY
    return log_probs


def _grow(live: Sequence[_Live], log_probs: Array, beam: int) -> list[_Live]:
    """The `beam` best continuations by one token; row i of log_probs belongs to live[i]."""
    scores = np.array([one.hypothesis.log_prob for one in live], np.float32)
    total = (scores[:, np.newaxis] + log_probs).ravel()
    best = top(total, beam)
    rows, tokens = np.divmod(best, log_probs.shape[1])
    return [
        _Live(Hypothesis((*live[row].hypothesis.tokens, token), score), row)
        for row, token, score in zip(
            rows.tolist(), tokens.tolist(), total[best].tolist(), strict=True
        )
    ]


def _decided(
    finished: Sequence[Hypothesis], live: Sequence[_Live], decoding: Decoding, beam: int
) -> bool:
    """Whether the search is over; `finished` is sorted.

    It is when the best live hypothesis, scored by its present length, would not enter the `beam`
    best. Without a length penalty none can any more.
    """
    if len(finished) < beam:
        return False
    best = max(_score(one.hypothesis, decoding) for one in live)
    return decoding.early_stopping or bool(_score(finished[beam - 1], decoding) >= best)


def _next_rows(
    live: Sequence[_Live], states: States, eos: int, beam: int
) -> tuple[Array, dict[str, Array]]:
    """Last tokens and states of the live hypotheses in the first rows; the rest is filled up."""
    tokens = np.full(beam, eos, np.int32)
    tokens[: len(live)] = [one.hypothesis.tokens[-1] for one in live]
    rows = np.zeros(beam, np.intp)
    rows[: len(live)] = [one.row for one in live]
    return tokens, {name: state[rows] for name, state in states.items()}
