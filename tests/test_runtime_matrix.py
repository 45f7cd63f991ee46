"""The judge of the runtime matrix sees every way in which a cell can be wrong."""

from typing import Any

import pytest
from runtime_matrix.environments import ENVIRONMENTS, Environment
from runtime_matrix.results import Results, faults, parsed, table

NEW = Environment("new", "2.0", "litert")
OLD = Environment("old", "1.0", "litert", float_only=True)
FLOAT, INT8 = "s/fp32 dense", "s/dynamic_wi8 dense"
REFUSED = {"refused": "too old"}


def captioned(*tokens: int, log_prob: float = -1.0) -> dict[str, Any]:
    return {"tokens": {"a beam 1": list(tokens)}, "log_probs": {"a beam 1": log_prob}}


REFERENCE: Results = {FLOAT: captioned(3, 1), INT8: captioned(4, 1)}


def test_same_tokens_and_expected_refusals_are_right() -> None:
    assert faults(NEW, REFERENCE, REFERENCE) == []
    assert faults(OLD, REFERENCE, {**REFERENCE, INT8: REFUSED}) == []


@pytest.mark.parametrize(
    ("environment", "change", "fault"),
    [
        (NEW, {INT8: captioned(4, 2)}, f"{INT8} has other tokens"),
        (NEW, {INT8: {}}, f"{INT8} has other tokens"),
        (NEW, {INT8: REFUSED}, f"{INT8} is refused: too old"),
        (OLD, {FLOAT: REFUSED, INT8: REFUSED}, f"{FLOAT} is refused: too old"),
        (OLD, {}, f"{INT8} is not refused"),
    ],
)
def test_anything_else_is_a_fault(environment: Environment, change: Results, fault: str) -> None:
    assert faults(environment, REFERENCE, {**REFERENCE, **change}) == [fault]


def test_a_reference_that_refuses_proves_nothing() -> None:
    assert faults(NEW, {FLOAT: REFUSED}, {FLOAT: REFUSED}) == [
        f"the reference refuses {FLOAT}: too old"
    ]


def test_table_shows_what_became_of_each_cell() -> None:
    other = {FLOAT: captioned(3, 1, log_prob=-1.25), INT8: captioned(9)}
    lines = table(REFERENCE, {NEW: REFERENCE, OLD: other}).splitlines()
    assert lines[0] == "| bundle | new-2.0 | old-1.0 |"
    assert lines[2:] == [
        f"| {FLOAT} | same | same, 2e-01 |",
        f"| {INT8} | same | OTHER TOKENS |",
    ]


def test_lines_of_a_program_are_read_by_bundle() -> None:
    line = '{"bundle": "s/fp32 dense", "refused": "too old"}\n'
    assert parsed(line + line) == {FLOAT: REFUSED}


def test_environments_are_told_apart_by_their_names() -> None:
    assert len({environment.name for environment in ENVIRONMENTS}) == len(ENVIRONMENTS)
