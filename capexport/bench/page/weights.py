"""Reports with weights -> the size of what is stored against its bound: together, and by matrix."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from capexport.bench.page.chart import Row, chart, legend
from capexport.bench.page.markup import element, table, text
from capexport.bench.page.plots import Entry

SIZES = ("matrices, stored", "the rest of the graph files", "least for the matrices as int8")
LEAST, ABOVE = "least as int8", "stored above it"
NOTE = (
    "The bound is an ideal code of where the non-zeros are (their entropy), and 8 bits for each of "
    "them; values that are coded too may take less. A call reads what is stored of its matrices."
)


def weights(entries: Sequence[Entry]) -> str:
    """Two plots of each bundle and runtime, where the export noted the matrices."""
    first: dict[tuple[str, str], Entry] = {}
    for one in entries:
        first.setdefault((one.report.bundle_sha256, _runtime(one)), one)
    having = [one for one in first.values() if one.report.weights.get("layers")]
    if not having:
        return ""
    parts = [element("p", text(NOTE), class_="note")]
    whole = [one for one in having if _stored_whole(one)]
    if whole:
        groups: list[tuple[str, Sequence[Row]]] = [("", [r for one in whole for r in _sizes(one)])]
        names = legend([(name, colour) for colour, name in enumerate(SIZES)])
        drawing = chart("stored against the bound, MB", "MB", groups)
        parts.append(element("h4", "Against the bound") + names + drawing)
    names = legend([(LEAST, 2), (ABOVE, 0)])
    for one in having:
        parts.append(element("h4", text(f"Matrices of {one.name}")) + names + _matrices(one))
    return element("section", element("h3", "Weights"), *parts)


def _runtime(entry: Entry) -> str:
    return str(entry.report.settings.get("runtime", ""))


def _layers(entry: Entry) -> Sequence[Mapping[str, Any]]:
    layers: Sequence[Mapping[str, Any]] = entry.report.weights["layers"]
    return layers


def _stored_whole(entry: Entry) -> bool:
    """Whether all is known that the first plot needs."""
    sizes = entry.report.footprint_bytes
    return {"encoder", "decoder_step"} <= sizes.keys() and all(
        "stored_bytes" in layer for layer in _layers(entry)
    )


def _sizes(entry: Entry) -> list[Row]:
    stored = sum(layer["stored_bytes"] for layer in _layers(entry))
    bound = sum(layer["bound_bytes"] for layer in _layers(entry))
    sizes = entry.report.footprint_bytes
    files = sizes["encoder"] + sizes["decoder_step"]
    rest = max(files - stored, 0)
    times = f"{files / bound:.2f} x the bound" if bound else ""
    return [
        entry.bar(times, ((SIZES[0], stored / 1e6, 0), (SIZES[1], rest / 1e6, 1))),
        entry.bar(f"{bound / 1e6:.3g} MB", ((SIZES[2], bound / 1e6, 2),)),
    ]


def _matrices(entry: Entry) -> str:
    layers = _layers(entry)
    columns = ("matrix", "graph", "zeros", "bytes stored", "int8 bound")
    rows = [
        (
            layer["name"],
            layer["graph"],
            f"{layer['sparsity']:.1%}",
            f"{layer['stored_bytes']:,}" if "stored_bytes" in layer else "",
            f"{layer['bound_bytes']:,}",
        )
        for layer in layers
    ]
    return _bars(entry, layers) + table(columns, rows)


def _bars(entry: Entry, layers: Sequence[Mapping[str, Any]]) -> str:
    """A group for each graph; the largest first tells where the bytes are."""
    groups: list[tuple[str, Sequence[Row]]] = []
    for graph in dict.fromkeys(layer["graph"] for layer in layers):
        own = [x for x in layers if x["graph"] == graph and x.get("stored_bytes")]
        own.sort(key=lambda layer: -int(layer["stored_bytes"]))
        bars: list[Row] = [_bar(entry, layer) for layer in own]
        if bars:
            groups.append((str(graph), bars))
    return chart(f"matrices of {entry.name}, kB", "kB", groups) if groups else ""


def _bar(entry: Entry, layer: Mapping[str, Any]) -> Row:
    stored, bound = layer["stored_bytes"], min(layer["bound_bytes"], layer["stored_bytes"])
    segments = ((LEAST, bound / 1e3, 2), (ABOVE, (stored - bound) / 1e3, 0))
    row = entry.bar(f"{layer['sparsity']:.1%} zeros", segments)
    return replace(row, label=str(layer["name"]))
