"""Reports of one kind with a quality -> size, quality and time against each other."""

from collections.abc import Sequence

from capexport.bench.card import milliseconds
from capexport.bench.page.markup import element, table, text
from capexport.bench.page.plots import Entry
from capexport.bench.page.scatter import Point, scatter

QUALITY = "CIDEr-D"
NOTE = (
    "Filled: no other report is better in one of size, time and quality and as good in the others. "
    "Compare only qualities of the same images."
)
Objectives = tuple[float, float, float]
"""MB, time or instructions, and quality: the first two should be small, the last large."""


def tradeoff(entries: Sequence[Entry]) -> str:
    """A plot of quality over size, one of quality over time, and the numbers."""
    having = [(one, found) for one in entries if (found := objectives(one))]
    if not having:
        return ""
    front = [not any(dominates(other, own) for _, other in having) for _, own in having]
    cost = "caption, ms" if having[0][0].report.latency_ms else "caption, M instructions"
    drawings = [
        scatter(
            f"{QUALITY} over {axis}",
            axis,
            QUALITY,
            [
                Point(own[index], own[2], one.name.split(":")[0], one.name, best)
                for (one, own), best in zip(having, front, strict=True)
            ],
        )
        for index, axis in enumerate(("model, MB", cost))
    ]
    rows = [
        (one.name, f"{mb:.3g}", milliseconds(time), f"{quality:.3f}", "yes" if best else "")
        for (one, (mb, time, quality)), best in zip(having, front, strict=True)
    ]
    columns = ("report", "model, MB", cost, QUALITY, "best trade-off")
    said = element("p", text(NOTE), class_="note")
    title = element("h3", "Quality, size and time")
    return element("section", title, said, *drawings, table(columns, rows))


def objectives(entry: Entry) -> Objectives | None:
    """None where one of the three is not known."""
    report = entry.report
    quality = report.quality.get("metrics", {}).get(QUALITY)
    size = report.footprint_bytes.get("model")
    if "caption" in report.latency_ms:
        time: float | None = report.summaries()["caption"].p50
    else:
        instructions = report.counts.get("caption", {}).get("instructions")
        time = instructions / 1e6 if instructions else None
    if quality is None or size is None or time is None:
        return None
    return size / 1e6, time, quality


def dominates(one: Objectives, other: Objectives) -> bool:
    """At least as good everywhere, and better somewhere (Pareto)."""
    as_good = one[0] <= other[0] and one[1] <= other[1] and one[2] >= other[2]
    return as_good and one != other
