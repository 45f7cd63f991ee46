"""Two reports of one kind -> a ratio for each number, and whether it is more than noise."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from capexport.bench.report import Report
from capexport.bench.statistics import CONFIDENCE, Rounds, bootstrapped_medians
from capexport.errors import InputError

Verdict = Literal["more", "less", "same"]
LATENCIES = ("encoder", "decoder_step", "caption")
"""What is compared of the times; starts have too few samples for a verdict."""
LEAST_CHANGE = 0.003
"""Of counts: ONNX Runtime's move by as much with the length of arguments and environment."""
LEAST_MEMORY_CHANGE = 0.02
"""Pages that the loader touches differ from start to start by some 100 KiB."""


@dataclass(frozen=True)
class Comparison:
    """One number of two reports.

    Args:
        section: latency_ms, memory, footprint_bytes or counts.
        name: of the quantity in it.
        before, after: its value; of a latency the median.
        low, high: the 95 % interval of after / before; of what has no noise the ratio itself.
        verdict: what after is, beyond noise.
    """

    section: str
    name: str
    before: float
    after: float
    low: float
    high: float
    verdict: Verdict

    @property
    def ratio(self) -> float:
        return self.after / self.before


def compare(before: Report, after: Report) -> list[Comparison]:
    """Every number that both have, in the order of the first.

    Raises:
        InputError: the reports are of different kinds: a time and an emulator's have no ratio.
    """
    if before.kind != after.kind:
        raise InputError(
            f"one report is {before.kind}, the other {after.kind}",
            where="kind",
            hint="compare reports of one kind of device",
        )
    return [
        *_latencies(before.latency_ms, after.latency_ms),
        *_sizes("memory", before.memory, after.memory, LEAST_MEMORY_CHANGE),
        *_sizes("footprint_bytes", before.footprint_bytes, after.footprint_bytes, 0.0),
        *_counts(before.counts, after.counts),
    ]


def differences(before: Report, after: Report) -> list[str]:
    """Settings and devices that are not the same, in words: what a ratio then also means."""
    pairs = [
        (name, before.settings.get(name), after.settings.get(name))
        for name in ("runtime", "runtime_version", "beam", "threads", "input", "cores")
    ]
    pairs += [
        (name, before.device.get(name), after.device.get(name)) for name in ("name", "core_names")
    ]
    pairs.append(("caption", before.output.get("tokens"), after.output.get("tokens")))
    found = [f"{name}: {a} and {b}" for name, a, b in pairs if a != b]
    for which, report in (("first", before), ("second", after)):
        if not report.valid:
            found.append(f"the {which} report is not valid: {report.doubts[0]}")
    return found


def fell_short(comparisons: list[Comparison], limit: float) -> list[Comparison]:
    """Latencies and instruction counts that grew by more than the factor `limit`, beyond noise."""
    return [
        one
        for one in comparisons
        if one.verdict == "more"
        and one.ratio > limit
        and (one.section == "latency_ms" or one.name.endswith(".instructions"))
    ]


def _latencies(before: Mapping[str, Rounds], after: Mapping[str, Rounds]) -> Iterator[Comparison]:
    tail = 100 * (1 - CONFIDENCE) / 2
    for name in LATENCIES:
        if name not in before or name not in after:
            continue
        # Two seeds: with one, both would draw the same rounds and seem to move together.
        ratios = bootstrapped_medians(after[name], seed=1) / bootstrapped_medians(before[name])
        low, high = (float(x) for x in np.percentile(ratios, (tail, 100 - tail)))
        verdict: Verdict = "more" if low > 1 else "less" if high < 1 else "same"
        medians = (_median(before[name]), _median(after[name]))
        yield Comparison("latency_ms", name, *medians, low, high, verdict)


def _median(rounds: Rounds) -> float:
    return float(np.median([ms for one in rounds for ms in one]))


def _sizes(
    section: str, before: Mapping[str, int], after: Mapping[str, int], change: float
) -> Iterator[Comparison]:
    for name in before:
        if before[name] and after.get(name):
            yield _exact(section, name, before[name], after[name], change)


def _counts(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Comparison]:
    for part in before:
        for name, count in before[part].items():
            other = after.get(part, {}).get(name)
            if count and other:
                yield _exact("counts", f"{part}.{name}", count, other, LEAST_CHANGE)


def _exact(section: str, name: str, before: float, after: float, change: float) -> Comparison:
    ratio = after / before
    verdict: Verdict = "more" if ratio > 1 + change else "less" if ratio < 1 - change else "same"
    return Comparison(section, name, before, after, ratio, ratio, verdict)
