"""Entries with samples -> a Markdown table, failures included."""

import statistics
from collections.abc import Iterator

from contenders import BASE
from rounds import Entry

HEADER = (
    "| runtime | form | file MB | gzip MB | open ms | warm ms | ratio | cold ms | ratio "
    "| error, nats | relative | same words | RSS + MiB |"
)
ONE_THREAD = 0.95
"""Share of the main thread below which a contender did not run on one thread."""


def lines(entries: list[Entry]) -> Iterator[str]:
    """The table, then versions, then who used more than the one thread it was given."""
    base = next(entry for entry in entries if entry.contender is BASE)
    yield HEADER
    yield "|---" * (HEADER.count("|") - 1) + "|"
    for entry in entries:
        yield _row(entry, base)
    yield ""
    versions = {e.contender.runner: e.facts["version"] for e in entries if "version" in e.facts}
    yield "Versions: " + ", ".join(f"{name} {version}" for name, version in versions.items())
    for entry in entries:
        if not entry.failure and (own := _median(entry, "own")) < ONE_THREAD:
            yield f"{entry.contender} left {1 - own:.0%} of its work to other threads"


def _row(entry: Entry, base: Entry) -> str:
    name = f"| {entry.contender.runtime} | {entry.contender.form} |"
    if entry.failure:
        return f"{name} failed: {entry.failure.replace('|', '/')} |"
    facts = entry.facts
    cells = [
        f"{facts['file']:.3g}",
        f"{facts['gzip']:.3g}",
        f"{facts['open']:.3g}",
        *_times(entry, base, "warm"),
        *_times(entry, base, "cold"),
        f"{facts['nats']:.2g}",
        f"{facts['relative']:.2g}",
        f"{facts['words']} of {facts['of']}",
        f"{facts['resident']:.3g}",
    ]
    return f"{name} {' | '.join(cells)} |"


def _times(entry: Entry, base: Entry, kind: str) -> tuple[str, str]:
    """Median milliseconds, and the median over rounds of the ratio to the base."""
    pairs = zip(entry.samples, base.samples, strict=True)
    ratios = [mine[kind] / theirs[kind] for mine, theirs in pairs]
    return f"{_median(entry, kind):.3g}", f"{statistics.median(ratios):.2f}"


def _median(entry: Entry, kind: str) -> float:
    return statistics.median(sample[kind] for sample in entry.samples)
