"""Rounds and the device's state around them -> why a measurement cannot be trusted, if so."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from capexport.bench.settings import STRICT_MS, STRICT_SAMPLES, Settings
from capexport.bench.statistics import Rounds, Summary

LEAST_SAMPLES = 30
LEAST_ROUNDS = 3
MOST_DRIFT = 0.05
MOST_SPREAD = 0.10
MOST_OUTLIERS = 0.05
LEAST_CLOCK = 0.90
"""Of the clock before a round: a processor that fell below was throttled."""
MOST_WARMING = 10.0
"""Degrees Celsius that a zone may gain in one round."""
MEASURED = ("encoder", "decoder_step", "caption")
"""The quantities that are judged; how long a start takes is shown only."""


def doubts(
    summaries: Mapping[str, Summary], latency: Mapping[str, Rounds], settings: Settings
) -> list[str]:
    """One sentence for each reason that lies in the samples."""
    found = []
    for name in MEASURED:
        found += [f"{name}: {doubt}" for doubt in _doubts_of(summaries[name])]
        if settings.strict:
            found += [f"{name}: {doubt}" for doubt in _strict(latency[name])]
    if settings.rounds < LEAST_ROUNDS:
        found.append(f"{settings.rounds} rounds are less than {LEAST_ROUNDS}")
    return found


def state_doubts(
    states: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], cores: int
) -> list[str]:
    """One sentence for each reason that lies in the device: pairs of before and after a round."""
    found: list[str] = []
    for number, (before, after) in enumerate(states, 1):
        found += [f"round {number}: {doubt}" for doubt in _changes(before, after)]
        if number == 1 and before.get("load", 0.0) >= cores:
            found.append(f"the load before was {before['load']:.1f} on {cores} cores")
    return found


def _doubts_of(summary: Summary) -> Iterator[str]:
    if summary.count < LEAST_SAMPLES:
        yield f"{summary.count} samples are less than {LEAST_SAMPLES}"
    if abs(summary.drift) > MOST_DRIFT:
        yield f"times drift by {summary.drift:+.0%} within a round"
    if summary.spread > MOST_SPREAD:
        yield f"rounds differ by {summary.spread:.0%}"
    if summary.outliers > MOST_OUTLIERS:
        yield f"{summary.outliers:.0%} of the samples are outliers"


def _strict(rounds: Rounds) -> Iterator[str]:
    """MLPerf's single stream; what is measured lasts as long as its samples together."""
    count, ms = sum(map(len, rounds)), sum(map(sum, rounds))
    if count < STRICT_SAMPLES:
        yield f"{count} samples are less than {STRICT_SAMPLES}"
    # The runner stops by the clock, between samples: a hundredth is what it loses there.
    if ms < 0.99 * STRICT_MS:
        yield f"{ms / 1000:.1f} s are less than {STRICT_MS / 1000:.0f} s"


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    clocks: Mapping[str, int] = before.get("clock_khz", {})
    for core, clock in clocks.items():
        now = after.get("clock_khz", {}).get(core, clock)
        if now < LEAST_CLOCK * clock:
            yield f"the clock of core {core} fell from {clock / 1e6:.2f} to {now / 1e6:.2f} GHz"
    zones: Mapping[str, float] = before.get("celsius", {})
    for zone, degrees in zones.items():
        now = after.get("celsius", {}).get(zone, degrees)
        if now > degrees + MOST_WARMING:
            yield f"{zone} went from {degrees:.0f} to {now:.0f} degrees Celsius"
