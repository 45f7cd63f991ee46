"""Rows on one axis that starts at zero -> SVG: stacked bars, or the samples of a distribution."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from capexport.bench.page.markup import element, text
from capexport.bench.statistics import Rounds, summarize

WIDTH, LABELS, VALUES = 900, 250, 130
"""Of the drawing, of the names on its left and of the numbers on its right, in its own units."""
PLOT = WIDTH - LABELS - VALUES
ROW, TITLE, AXIS = 34, 26, 30
LABEL_LETTERS = 36
TICKS = 6
"""At most; so many numbers fit side by side."""

NOTHING = 1e-12
"""Less is drawn as zero: no time, size or count is as small in any unit here."""

Place = Callable[[float], float]
"""A value -> how far right it lies."""


class Row(Protocol):
    """One line of a chart: a name, what is drawn, and its number in words."""

    @property
    def label(self) -> str: ...
    @property
    def valid(self) -> bool: ...
    @property
    def note(self) -> str: ...
    @property
    def most(self) -> float: ...
    def draw(self, place: Place) -> Iterator[str]:
        """Elements between y = 0 and ROW."""


@dataclass(frozen=True)
class Bar:
    """Segments (name, value, colour) one behind the other."""

    label: str
    valid: bool
    note: str
    segments: Sequence[tuple[str, float, int]]

    @property
    def most(self) -> float:
        return sum(value for _, value, _ in self.segments)

    def draw(self, place: Place) -> Iterator[str]:
        start = 0.0
        for name, value, colour in self.segments:
            left, right = place(start), place(start + value)
            start += value
            yield element(
                "rect",
                element("title", text(f"{name}: {value:,.6g}")),
                x=f"{left:.2f}",
                y=7,
                width=f"{right - left:.2f}",
                height=ROW - 14,
                class_=f"c{colour}",
            )


@dataclass(frozen=True)
class Samples:
    """Every sample a dot, in the order in which it was taken from top to bottom.

    Over them the median (line), its 95 % interval (box), and p90 and p99 (ticks).
    """

    label: str
    valid: bool
    note: str
    rounds: Rounds

    @property
    def most(self) -> float:
        return max(sample for one in self.rounds for sample in one)

    def draw(self, place: Place) -> Iterator[str]:
        every = [sample for one in self.rounds for sample in one]
        for index, sample in enumerate(every):
            y = 5 + (ROW - 10) * (index + 0.5) / len(every)
            yield element("circle", cx=f"{place(sample):.2f}", cy=f"{y:.2f}", r=2, class_="dot")
        one = summarize(self.rounds)
        low, high = place(one.low), place(one.high)
        yield element(
            "rect",
            element("title", text(f"95 % of p50: {one.low:.4g} to {one.high:.4g}")),
            x=f"{low:.2f}",
            y=5,
            width=f"{max(high - low, 1):.2f}",
            height=ROW - 10,
            class_="interval",
        )
        for value, kind, top in (
            (one.p50, "median", 2),
            (one.p90, "tail", 9),
            (one.p99, "tail", 9),
        ):
            yield _vertical(place(value), top, ROW - top, kind)


def chart(name: str, unit: str, groups: Sequence[tuple[str, Sequence[Row]]]) -> str:
    """One drawing: groups of rows, each with its title ("" for none), all on one axis.

    Args:
        name: what is drawn, for those who cannot see it.
        unit: of all values, written at the axis.
    """
    ticks = axis_ticks(max(row.most for _, rows in groups for row in rows))

    def place(value: float) -> float:
        return LABELS + PLOT * value / ticks[-1]

    parts: list[str] = []
    y = 0
    for title, rows in groups:
        if title:
            parts.append(_words(0, y + 18, title, "group"))
            y += TITLE
        for row in rows:
            drawn = (_row_label(row), *row.draw(place), _words(WIDTH, 21, row.note, "note"))
            parts.append(element("g", *drawn, transform=f"translate(0 {y})"))
            y += ROW
    grid = [_vertical(place(tick), 0, y, "grid") for tick in ticks]
    numbers = [_words(place(tick), y + 16, f"{tick:,.6g}", "tick") for tick in ticks]
    numbers.append(_words(WIDTH, y + 16, unit, "note"))
    size = f"0 0 {WIDTH} {y + AXIS}"
    return element("svg", *grid, *parts, *numbers, viewBox=size, role="img", aria_label=name)


def axis_ticks(most: float) -> list[float]:
    """At most TICKS numbers, 1, 2 or 5 times a power of ten apart, from 0 to `most` or more."""
    if most < NOTHING:
        return [0.0, 1.0]
    power = 10.0 ** math.floor(math.log10(most / (TICKS - 1)))
    step = next(power * m for m in (1, 2, 5, 10, 20) if power * m * (TICKS - 1) >= most)
    return [step * index for index in range(math.ceil(most / step * (1 - 1e-9)) + 1)]


def legend(names: Sequence[tuple[str, int]]) -> str:
    """Which colour is what."""
    parts = (element("li", element("i", class_=f"c{c}"), text(name)) for name, c in names)
    return element("ul", *parts, class_="legend")


def _row_label(row: Row) -> str:
    label = row.label
    if len(label) > LABEL_LETTERS:
        label = label[: LABEL_LETTERS - 1] + "…"
    whole = element("title", text(row.label))
    if row.valid:
        return element("text", whole, text(label), x=0, y=21)
    mark = element("tspan", "not valid", x=0, y=30, class_="doubt")
    return element("text", whole, element("tspan", text(label), x=0, y=15), mark)


def _words(x: float, y: float, words: str, kind: str) -> str:
    return element("text", text(words), x=f"{x:.2f}", y=y, class_=kind)


def _vertical(x: float, top: float, bottom: float, kind: str) -> str:
    return element("line", x1=f"{x:.2f}", x2=f"{x:.2f}", y1=top, y2=bottom, class_=kind)
