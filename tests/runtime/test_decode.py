"""Beam search against the trainers' loop, which runs to the limit and keeps finished beams."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from capexport.runtime.decode import Hypothesis, beam_search, top
from capexport.spec.decoding import Decoding

Array = NDArray[Any]
RULE = Decoding(bos=0, eos=1, pad=0, unk=2, max_length=5, beam=2)

FINISHED_PENALTY = 1000.0


class Automaton:
    """A random language model: the state is a number, the table gives each state's log-probs."""

    def __init__(self, table: Sequence[Sequence[int]]) -> None:
        # Quarters add without rounding, and produce many exact ties.
        self.table = -np.array(table, np.float32) / 4
        self.calls: list[Array] = []

    def next_state(self, state: int, token: int) -> int:
        return (3 * state + token + 1) % len(self.table)

    def states(self, beam: int) -> dict[str, Array]:
        return {"s": np.zeros((beam, 1), np.float32)}

    def step(self, token: Array, states: Mapping[str, Array]) -> tuple[Array, Mapping[str, Array]]:
        self.calls.append(token)
        assert token.dtype == np.int32
        pairs = zip(states["s"][:, 0].astype(int), token, strict=True)
        following = np.array([self.next_state(s, int(t)) for s, t in pairs])
        return self.table[following], {"s": following[:, np.newaxis].astype(np.float32)}


def trainers_search(model: Automaton, rule: Decoding, beam: int) -> list[Hypothesis]:
    """The published loop, slow and obvious: finished beams go on with 1000 nats less."""
    # tokens, score, state before the last token
    beams: list[tuple[tuple[int, ...], float, int]] = [((), 0.0, 0)]
    done: list[Hypothesis] = []
    for length in range(1, rule.max_length + 1):
        grown = []
        for tokens, score, state in beams:
            following = model.next_state(state, tokens[-1] if tokens else rule.bos)
            for token, log_prob in enumerate(model.table[following].tolist()):
                if rule.suppress_unk and beam > 1 and token == rule.unk:
                    log_prob -= 1000
                grown.append(((*tokens, token), score + log_prob, following))
        beams = sorted(grown, key=lambda one: -one[1])[:beam]
        for i, (tokens, score, state) in enumerate(beams):
            if tokens[-1] == rule.eos or length == rule.max_length:
                done.append(Hypothesis(tokens, score))
                beams[i] = (tokens, score - FINISHED_PENALTY, state)
    return sorted(done, key=lambda one: -one.log_prob)[:beam]


@st.composite
def automata(draw: st.DrawFn) -> Automaton:
    size = draw(st.integers(4, 7))
    row = st.lists(st.integers(0, 12), min_size=size, max_size=size)
    return Automaton(draw(st.lists(row, min_size=1, max_size=6)))


def transformers_search(model: Automaton, rule: Decoding, beam: int) -> list[Hypothesis]:
    """`generate` of transformers 5, as it is written there: always `beam` rows, ranked together."""
    low = -1e9
    live = [((), 0.0 if i == 0 else low, 0) for i in range(beam)]  # tokens, sum, state
    done: list[tuple[float, tuple[int, ...], float]] = []  # score, tokens, sum
    for length in range(1, rule.max_length + 1):
        grown = []
        for tokens, score, state in live:
            following = model.next_state(state, tokens[-1] if tokens else rule.bos)
            for token, log_prob in enumerate(model.table[following].tolist()):
                grown.append(((*tokens, token), score + log_prob, following))
        grown = sorted(grown, key=lambda one: -one[1])[: 2 * beam]
        ends = [one[0][-1] == rule.eos or length == rule.max_length for one in grown]
        for one, end in list(zip(grown, ends, strict=True))[:beam]:
            if end and one[1] > low / 2:
                done.append((one[1] / length**rule.length_penalty, one[0], one[1]))
        done = sorted(done, key=lambda entry: -entry[0])[:beam]
        live = [one for one, end in zip(grown, ends, strict=True) if not end][:beam]
        if not live:
            break
        full = len(done) == beam
        if full and (
            rule.early_stopping or done[-1][0] >= live[0][1] / length**rule.length_penalty
        ):
            break
    return [Hypothesis(tokens, total) for _, tokens, total in done]


@given(
    automata(),
    st.integers(1, 3),
    st.integers(1, 6),
    st.sampled_from([0.0, 1.0, 2.0, -1.0]),
    st.booleans(),
)
def test_refilling_search_is_that_of_transformers(
    model: Automaton, beam: int, length: int, penalty: float, early: bool
) -> None:
    """Quarters divided by small lengths: float32 and float64 rank them alike, ties included."""
    rule = replace(
        RULE, max_length=length, refill=True, length_penalty=penalty, early_stopping=early
    )
    found = beam_search(model.step, model.states(beam), rule, beam)
    expected = transformers_search(model, rule, beam)
    if beam == 1:  # greedy in transformers: it never looks at the second best
        assert len(found) == 1
        expected = trainers_search(model, replace(RULE, max_length=length), 1)
    assert [one.log_prob for one in found] == [one.log_prob for one in expected]
    assert found == expected


def test_options_of_the_refilling_search_need_it() -> None:
    for option in ({"length_penalty": 1.0}, {"early_stopping": True}):
        with pytest.raises(ValueError, match="need refill"):
            replace(RULE, **option)


@given(automata(), st.integers(1, 3), st.integers(1, 6), st.booleans())
def test_early_stop_is_exact(model: Automaton, beam: int, length: int, suppress: bool) -> None:
    rule = replace(RULE, max_length=length, suppress_unk=suppress)
    found = beam_search(model.step, model.states(beam), rule, beam)
    assert found == trainers_search(model, rule, beam)
    assert len(model.calls) <= length
    assert all(len(token) == beam for token in model.calls)


@given(automata(), st.integers(1, 6))
def test_beam_1_is_greedy_and_never_suppresses(model: Automaton, length: int) -> None:
    rule = replace(RULE, max_length=length, suppress_unk=True)
    tokens: list[int] = []
    state, score = model.next_state(0, rule.bos), 0.0
    while len(tokens) < length and rule.eos not in tokens:
        tokens.append(int(model.table[state].argmax()))
        score += float(model.table[state].max())
        state = model.next_state(state, tokens[-1])
    found = beam_search(model.step, model.states(1), rule, 1)
    assert found == [Hypothesis(tuple(tokens), score)]
    assert len(model.calls) == len(tokens)


@given(automata(), st.integers(1, 2))
def test_wide_beam_finds_the_best_of_all_sequences(model: Automaton, length: int) -> None:
    """With room for every sequence the search is exhaustive."""
    rule = replace(RULE, max_length=length)
    size = model.table.shape[1]
    scores: list[float] = []

    def walk(tokens: tuple[int, ...], score: float, state: int) -> None:
        if tokens and (tokens[-1] == rule.eos or len(tokens) == length):
            scores.append(score)
            return
        following = model.next_state(state, tokens[-1] if tokens else rule.bos)
        for token, log_prob in enumerate(model.table[following].tolist()):
            walk((*tokens, token), score + log_prob, following)

    walk((), 0.0, 0)
    found = beam_search(model.step, model.states(size**2), rule, size**2)
    assert [one.log_prob for one in found] == sorted(scores, reverse=True)


def table_step(*rows: Sequence[float]) -> Callable[..., tuple[Array, Mapping[str, Array]]]:
    """A step whose t-th call returns the t-th row for every beam."""
    remaining = list(rows)

    def step(token: Array, states: Mapping[str, Array]) -> tuple[Array, Mapping[str, Array]]:
        return np.tile(np.array(remaining.pop(0), np.float32), (len(token), 1)), states

    return step


def test_search_stops_when_no_live_beam_can_win() -> None:
    # After two steps <eos> alone and "3 <eos>" are better than whatever is still alive.
    step = table_step([-9, -1, -9, -1.5], [-9, -0.5, -9, -8])
    found = beam_search(step, {}, RULE, 2)
    assert found == [Hypothesis((1,), -1.0), Hypothesis((3, 1), -2.0)]


def test_ties_go_to_the_lower_token_then_the_earlier_beam() -> None:
    step = table_step([-1, -9, -1, -1], [-2, -9, -2, -2])
    found = beam_search(step, {}, replace(RULE, max_length=2), 2)
    assert [one.tokens for one in found] == [(0, 0), (0, 2)]


def test_states_follow_their_beams_and_dead_rows_read_the_end_token() -> None:
    seen = []

    def step(token: Array, states: Mapping[str, Array]) -> tuple[Array, Mapping[str, Array]]:
        seen.append((token.tolist(), states["origin"].tolist()))
        first = len(seen) == 1
        rows = [[-9, -1, -9, -2]] * 2 if first else [[-0.1, -9, -9, -9], [0, 0, 0, 0]]
        return np.array(rows, np.float32), {"origin": np.array([10, 20]) + len(seen)}

    beam_search(step, {"origin": np.zeros(2, int)}, replace(RULE, max_length=2), 2)
    assert seen[0] == ([0, 0], [0, 0])
    assert seen[1][0] == [3, RULE.eos]  # one live beam, then a dead row
    assert seen[1][1][0] == 11  # it came from row 0 of the first step


@pytest.mark.parametrize(
    ("unk", "suppress", "best"), [(2, False, (2, 2)), (2, True, (0, 0)), (None, True, (2, 2))]
)
def test_unk_is_suppressed_on_demand(
    unk: int | None, suppress: bool, best: tuple[int, ...]
) -> None:
    rows = [[-1, -9, -0.1, -7]] * 2
    rule = replace(RULE, max_length=2, unk=unk, suppress_unk=suppress)
    assert beam_search(table_step(*rows), {}, rule, 2)[0].tokens == best


def test_suppression_does_not_write_into_the_runtimes_array() -> None:
    row = np.array([[-5, -6, -0.1, -7]] * 2, np.float32)
    before = row.copy()
    rule = replace(RULE, max_length=1, suppress_unk=True)
    beam_search(lambda token, states: (row, states), {}, rule, 2)
    np.testing.assert_array_equal(row, before)


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=40), st.integers(1, 45))
def test_top_is_a_stable_sort(values: list[int], count: int) -> None:
    array = np.array(values, np.float32)
    expected = np.argsort(-array, kind="stable")[:count]
    np.testing.assert_array_equal(top(array, count), expected)


def test_top_knows_minus_infinity() -> None:
    array = np.array([-np.inf, -1, -np.inf], np.float32)
    assert top(array, 2).tolist() == [1, 0]


@pytest.mark.parametrize("beam", [1, 3])
def test_scores_are_float32_sums(beam: int) -> None:
    # In float32 the small term is lost, in float64 it is not.
    step = table_step([-(2.0**24), -(2.0**26), -(2.0**26), -(2.0**26)], [-9, -0.25, -9, -9])
    found = beam_search(step, {}, replace(RULE, max_length=2), beam)
    assert found[0] == Hypothesis((0, 1), -(2.0**24))
