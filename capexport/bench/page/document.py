"""The whole page: what was measured, what is not to be trusted, and a part for each kind."""

from collections.abc import Mapping, Sequence
from typing import Any

from capexport.bench.estimate import KIND as ESTIMATE
from capexport.bench.page import plots
from capexport.bench.page.layers import layers
from capexport.bench.page.markup import element, table, text
from capexport.bench.page.plots import Entry
from capexport.bench.page.style import CSS
from capexport.bench.page.tradeoff import tradeoff
from capexport.bench.page.weights import weights
from capexport.bench.report import KINDS, Report

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""A browser fetches nothing for this page and runs nothing in it, whatever it says."""
KIND_TITLES = {
    "measured-host": "Measured on the host",
    "measured-device": "Measured on a device",
    "emulated-counts": "Counted in an emulator",
}


def html_page(reports: Sequence[Report]) -> str:
    """One HTML document, which needs no other file; reports of two kinds share no plot."""
    entries = [Entry(_name(i, report), report) for i, report in enumerate(reports, 1)]
    parts = [element("h1", "Benchmark of captioning bundles"), _overview(entries)]
    parts += [_doubts(one) for one in entries if not one.report.valid]
    parts += [_kind(kind, [e for e in entries if e.report.kind == kind]) for kind in KINDS]
    parts.append(_estimate([one for one in entries if one.report.estimate.get("cores")]))
    head = (
        '<meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{text(POLICY)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>capexport report</title><style>{CSS}</style>"
    )
    body = element("body", *parts)
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>{body}</html>\n'


def _name(index: int, report: Report) -> str:
    settings = report.settings
    words = (settings.get(name) for name in ("architecture", "weights", "runtime"))
    return " ".join([f"{index}:", *(str(word) for word in words if word)])


def _overview(entries: Sequence[Entry]) -> str:
    columns = ("report", "kind", "device", "beam, threads", "input", "recipe", "bundle", "caption")
    rows = ((one.name, *_facts(one.report), _caption(one.report)) for one in entries)
    return element("div", table(columns, rows), class_="reports")


def _facts(report: Report) -> tuple[str, ...]:
    settings = report.settings
    return (
        report.kind if report.valid else f"{report.kind}, not valid",
        _device(report.device),
        f"{settings.get('beam', '?')}, {settings.get('threads', '?')}",
        str(settings.get("input", "unknown")),
        _recipe(settings.get("recipe", "")),
        report.bundle_sha256[:12],
    )


def _device(device: Mapping[str, Any]) -> str:
    cores = device.get("core_names", {})
    named = [f"{n} x {name}" for name, n in cores.items()] if isinstance(cores, dict) else []
    return ", ".join([str(device.get("name", "unknown")), *named])


def _recipe(recipe: Any) -> str:
    if isinstance(recipe, dict):
        return ", ".join(f"{graph} {name}" for graph, name in recipe.items())
    return str(recipe)


def _caption(report: Report) -> str:
    said = str(report.output.get("text", ""))
    return said if report.output.get("as_expected", True) else f"{said} (not the expected one)"


def _doubts(entry: Entry) -> str:
    said = element("strong", text(f"{entry.name} is not valid: do not quote its numbers."))
    reasons = element("ul", *(element("li", text(doubt)) for doubt in entry.report.doubts))
    return element("div", said, reasons, class_="invalid", role="alert")


def _kind(kind: str, entries: Sequence[Entry]) -> str:
    if not entries:
        return ""
    drawn = (plots.latency, plots.counts, plots.memory, plots.size, weights, layers, tradeoff)
    return _part(KIND_TITLES[kind], kind, "".join(draw(entries) for draw in drawn))


def _estimate(entries: Sequence[Entry]) -> str:
    return _part("Estimated", ESTIMATE, plots.estimates(entries)) if entries else ""


def _part(title: str, kind: str, body: str) -> str:
    label = element("span", text(kind), class_="kind")
    return element("section", element("h2", text(title), " ", label), body, id=kind)
