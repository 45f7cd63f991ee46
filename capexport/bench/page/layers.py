"""Reports with times by operator -> where a call's time goes, beside how sparse each matrix is."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from capexport.bench.layers import XNNPACK
from capexport.bench.page.chart import Row, chart, legend
from capexport.bench.page.markup import element, table, text
from capexport.bench.page.plots import Entry

MATRIX, OTHER = "with a matrix of the model", "others, by kind"
MOST_KINDS = 6
"""Of operators without a matrix; what is left of them is one bar."""
NOTE = (
    "By the runtime's own profiler, in calls apart from the samples above, which it slows down: "
    "compare times with each other, and not with the latency. Whole microseconds. At the right: "
    "zeros of the matrix, and the share of all operators' time."
)
NAMELESS = (
    "XNNPACK tells the kinds of its operators and not what they compute: which layer each of them "
    "is, is not known."
)

Operator = Mapping[str, Any]


def layers(entries: Sequence[Entry]) -> str:
    """One plot and table of each report that has them."""
    having = [one for one in entries if one.report.layers_ms]
    if not having:
        return ""
    names = legend([(MATRIX, 0), (OTHER, 1)])
    parts = [element("p", text(NOTE), class_="note")]
    for one in having:
        parts += [element("h4", text(f"Operators of {one.name}")), names, _operators(one)]
    return element("section", element("h3", "Time by layer"), *parts)


def _operators(entry: Entry) -> str:
    groups = [
        (_title(entry, graph, one), _bars(entry, graph, one["operators"]))
        for graph, one in entry.report.layers_ms.items()
        if one["operators"]
    ]
    drawing = chart(f"operators of {entry.name}, ms", "ms", groups) if groups else ""
    every = [o for one in entry.report.layers_ms.values() for o in one["operators"]]
    nameless = any(str(o["operator"]).startswith(XNNPACK) for o in every)
    said = element("p", text(NAMELESS), class_="note") if nameless else ""
    return said + drawing + _table(entry)


def _title(entry: Entry, graph: str, one: Mapping[str, Any]) -> str:
    title = f"{graph}: a call takes {one['call_ms']:.3g} ms with the profiler"
    without = entry.report.summaries().get(graph)
    return f"{title}, {without.p50:.3g} without" if without else title


def _bars(entry: Entry, graph: str, operators: Sequence[Operator]) -> list[Row]:
    """Matrices first, in the order in which they ran; then the others, the longest kind first."""
    zeros = _zeros(entry, graph)
    own = [o for o in operators if "layer" in o]
    bars: list[Row] = [
        _bar(entry, o["layer"], o["p50_ms"], f"{zeros.get(o['layer'], '')} {o['share']:.0%}", 0)
        for o in own
    ]
    kinds: dict[str, float] = {}
    for o in operators:
        if "layer" not in o:
            kind = o["operator"].partition(" (")[0]  # without types and layouts
            kinds[kind] = kinds.get(kind, 0.0) + o["p50_ms"]
    ordered = sorted(kinds.items(), key=lambda kind: -kind[1])
    whole = sum(o["p50_ms"] for o in operators) or 1.0
    shown = [*ordered[:MOST_KINDS]]
    if len(ordered) > MOST_KINDS:
        rest = ordered[MOST_KINDS:]
        shown.append((f"{len(rest)} other kinds", sum(ms for _, ms in rest)))
    return bars + [_bar(entry, kind, ms, f"{ms / whole:.0%}", 1) for kind, ms in shown]


def _bar(entry: Entry, name: str, ms: float, note: str, colour: int) -> Row:
    row = entry.bar(note.strip(), ((name, ms, colour),))
    return replace(row, label=name)


def _zeros(entry: Entry, graph: str) -> dict[str, str]:
    """By name of a matrix, in words."""
    return {
        layer["name"]: f"{layer['sparsity']:.1%} zeros,"
        for layer in entry.report.weights.get("layers", ())
        if layer["graph"] == graph
    }


def _table(entry: Entry) -> str:
    columns = ("graph", "computes", "operator", "matrix", "zeros", "p50, ms", "share")
    rows = [
        (
            graph,
            o["name"],
            o["operator"],
            o.get("layer", ""),
            _zeros(entry, graph).get(o.get("layer", ""), "").removesuffix(" zeros,"),
            f"{o['p50_ms']:.3f}",
            f"{o['share']:.1%}",
        )
        for graph, one in entry.report.layers_ms.items()
        for o in one["operators"]
    ]
    return element("details", element("summary", "Every operator"), table(columns, rows))
