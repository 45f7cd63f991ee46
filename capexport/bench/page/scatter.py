"""Points of two quantities -> SVG: both axes start at zero; those on the front are filled."""

from collections.abc import Sequence
from dataclasses import dataclass

from capexport.bench.page.chart import axis_ticks
from capexport.bench.page.markup import element, text

WIDTH, HEIGHT = 900, 340
LEFT, BOTTOM, TOP, RIGHT = 70, 45, 14, 40
RADIUS = 6


@dataclass(frozen=True)
class Point:
    """One report: where it lies, the number that is written beside it, and all of its name."""

    x: float
    y: float
    mark: str
    name: str
    on_front: bool


def scatter(name: str, across: str, up: str, points: Sequence[Point]) -> str:
    """One drawing.

    Args:
        name: what is drawn, for those who cannot see it.
        across, up: quantity and unit of either axis.
    """
    x_ticks = axis_ticks(max(point.x for point in points))
    y_ticks = axis_ticks(max(point.y for point in points))

    def place(x: float, y: float) -> tuple[float, float]:
        right = LEFT + (WIDTH - LEFT - RIGHT) * x / x_ticks[-1]
        return right, HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * y / y_ticks[-1]

    parts = []
    for tick in x_ticks:
        x, y = place(tick, 0)
        parts.append(_line(x, TOP, x, y))
        parts.append(_words(x, y + 18, f"{tick:,.6g}", "tick"))
    for tick in y_ticks:
        x, y = place(0, tick)
        parts.append(_line(x, y, WIDTH - RIGHT, y))
        parts.append(_words(x - 8, y + 4, f"{tick:,.6g}", "note"))
    parts.append(_words(WIDTH - RIGHT, HEIGHT - 6, across, "note"))
    parts.append(_words(LEFT + 6, TOP + 12, up, "up"))
    for point in points:
        x, y = place(point.x, point.y)
        kind = "front" if point.on_front else "behind"
        title = element("title", text(f"{point.name}: {point.x:.4g}, {point.y:.4g}"))
        parts.append(element("circle", title, cx=f"{x:.2f}", cy=f"{y:.2f}", r=RADIUS, class_=kind))
        parts.append(_words(x + RADIUS + 3, y - RADIUS, point.mark, "mark"))
    size = f"0 0 {WIDTH} {HEIGHT}"
    return element("svg", *parts, viewBox=size, role="img", aria_label=name)


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    ends = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    return element("line", **{name: f"{end:.2f}" for name, end in ends.items()}, class_="grid")


def _words(x: float, y: float, words: str, kind: str) -> str:
    return element("text", text(words), x=f"{x:.2f}", y=f"{y:.2f}", class_=kind)
