"""Reports of one kind -> the plots that they have numbers for, each followed by those numbers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from capexport.bench.card import TITLES, milliseconds
from capexport.bench.page.chart import Bar, Row, Samples, chart, legend
from capexport.bench.page.markup import element, table, text
from capexport.bench.report import Report
from capexport.bench.statistics import summarize

PARTS = ("encoder", "decoder_step", "caption")
INSTRUCTIONS = {
    "integer": ("int_alu", "int_mul_div"),
    "branches": ("branch",),
    "scalar memory": ("load", "store"),
    "SIMD memory": ("simd_load", "simd_store"),
    "int8 dot products": ("sdot", "smmla"),
    "multiply-add": ("fma",),
    "other SIMD": ("simd_int_mul", "simd_other"),
    "system": ("system",),
}
"""Classes of the emulator's plugin, together where they say the same; one colour each."""
MEMORY = {
    "rss_start_kib": "resident at the start",
    "rss_encoder_opened_kib": "encoder opened",
    "rss_decoder_opened_kib": "decoder opened",
    "rss_captioned_kib": "after the captions",
    "rss_end_kib": "resident at the end",
    "own_opened_kib": "of no file, both opened",
    "own_end_kib": "of no file, at the end",
    "pss_kib": "proportional share (PSS)",
    "peak_rss_kib": "most resident",
}
GRAPHS = ("encoder", "decoder_step")
MODEL = ("encoder", "decoder step", "manifest and vocabulary")
SHIPPED = {
    "model": "model",
    "operators": "operators of capexport",
    "runtime": "runtime",
    "model_gzip": "model, packed for a download",
    "operators_gzip": "operators, packed for a download",
    "model_zstd": "model, packed by zstd",
    "operators_zstd": "operators, packed by zstd",
    "apk": "in an .apk, without the runtime",
    "mapped": "mapped from files",
}


@dataclass(frozen=True)
class Entry:
    """A report with the name of its row: a number on the page, and what it is of."""

    name: str
    report: Report

    def bar(self, note: str, segments: Sequence[tuple[str, float, int]]) -> Bar:
        """Its row in a chart of bars."""
        return Bar(self.name, self.report.valid, note, segments)


def latency(entries: Sequence[Entry]) -> str:
    """The distribution of encoder, decoder step and caption, a chart of its own for each."""
    found = []
    for part in PARTS:
        having = [
            (one, one.report.latency_ms[part]) for one in entries if part in one.report.latency_ms
        ]
        if not having:
            continue
        summaries = [(one.name, summarize(rounds)) for one, rounds in having]
        rows: list[Row] = [
            Samples(one.name, one.report.valid, f"{milliseconds(summary.p50)} ms", rounds)
            for (one, rounds), (_, summary) in zip(having, summaries, strict=True)
        ]
        columns = ("ms", "p50", "95 % of p50", "p90", "p99", "samples", "outliers")
        numbers = [
            (
                name,
                milliseconds(s.p50),
                f"{milliseconds(s.low)} to {milliseconds(s.high)}",
                milliseconds(s.p90),
                milliseconds(s.p99),
                s.count,
                f"{s.outliers:.0%}",
            )
            for name, s in summaries
        ]
        drawing = chart(f"{TITLES[part]}, ms", "ms", [("", rows)])
        found.append(element("h4", text(TITLES[part])) + drawing + table(columns, numbers))
    return _section("Latency", LATENCY_NOTE, found)


LATENCY_NOTE = (
    "A dot is a sample, the first at the top of its row, the last at the bottom. The line is the "
    "median, the box its 95 % interval, the ticks are p90 and p99."
)


def memory(entries: Sequence[Entry]) -> str:
    """Resident memory by stage, and the peak."""
    groups = _grouped(entries, MEMORY, lambda report: report.memory, _mebibytes, 1024)
    return _section("Memory", "", [chart("memory, MiB", "MiB", groups)] if groups else [])


def size(entries: Sequence[Entry]) -> str:
    """The model's files by part, and what is shipped with them."""
    found = []
    having = [one for one in entries if one.report.footprint_bytes.keys() >= {*GRAPHS, "model"}]
    if having:
        rows = [_model_bar(one) for one in having]
        names = legend([(name, colour) for colour, name in enumerate(MODEL)])
        drawing = chart("model files, MB", "MB", [("", rows)])
        found.append(element("h4", "Model files") + names + drawing)
    groups = _grouped(entries, SHIPPED, lambda report: report.footprint_bytes, _megabytes, 10**6)
    if groups:
        drawing = chart("what is shipped, MB", "MB", groups)
        found.append(element("h4", "With the libraries that run it") + drawing)
    return _section("Size", "MB are 10⁶ bytes.", found)


def counts(entries: Sequence[Entry]) -> str:
    """Instructions of one call by class, a chart for each part, and every count."""
    found = []
    for part in PARTS:
        having = [one for one in entries if part in one.report.counts]
        rows = [
            _instruction_bar(one, one.report.counts[part])
            for one in having
            if "instructions" in one.report.counts[part]
        ]
        if not rows:
            continue
        names = list(dict.fromkeys(name for one in having for name in one.report.counts[part]))
        numbers = [
            (name, *(_count(one.report.counts[part], name) for one in having)) for name in names
        ]
        drawing = chart(f"instructions of {TITLES[part]}", "million", [("", rows)])
        columns = ("per call", *(one.name for one in having))
        found.append(element("h4", text(TITLES[part])) + drawing + table(columns, numbers))
    if found:
        found.insert(0, legend([(name, colour) for colour, name in enumerate(INSTRUCTIONS)]))
    return _section("Instructions", "One call after warm-up, counted in an emulator.", found)


def estimates(entries: Sequence[Entry]) -> str:
    """Milliseconds on core models, a chart for each part; they are of no device."""
    found = []
    for part in PARTS:
        cores = {
            name: core for one in entries for name, core in one.report.estimate["cores"].items()
        }
        groups: list[tuple[str, Sequence[Row]]] = []
        for name, core in cores.items():
            rows = [
                one.bar(f"{milliseconds(ms)} ms ({covered:.0%})", ((name, ms, 0),))
                for one in entries
                for ms, covered in _estimated(one.report, name, part)
            ]
            if rows:
                title = f"{core.get('stands_for', name)}, {core.get('ghz', '?')} GHz assumed"
                groups.append((title, rows))
        if groups:
            drawing = chart(f"estimate of {TITLES[part]}, ms", "ms", groups)
            found.append(element("h4", text(TITLES[part])) + drawing)
    assumed = dict.fromkeys(
        str(a) for one in entries for a in one.report.estimate.get("assumes", ())
    )
    notes = element("ul", *(element("li", text(a)) for a in assumed), class_="notes")
    return _section("Time on models of cores", ESTIMATE_NOTE, [*found, notes] if found else [])


ESTIMATE_NOTE = (
    "Computed from emulated counts and a model of each core, measured on none of them. In "
    "brackets: the share of the instructions that were modelled."
)


def _section(title: str, note: str, parts: Sequence[str]) -> str:
    if not parts:
        return ""
    said = element("p", text(note), class_="note") if note else ""
    return element("section", element("h3", text(title)), said, *parts)


def _grouped(
    entries: Sequence[Entry],
    names: Mapping[str, str],
    sizes: Callable[[Report], Mapping[str, float]],
    words: Callable[[float], str],
    unit: int,
) -> list[tuple[str, Sequence[Row]]]:
    """A group for each quantity, a bar in it for each report that has it."""
    groups: list[tuple[str, Sequence[Row]]] = []
    for name, title in names.items():
        rows = [
            one.bar(words(sizes(one.report)[name]), ((title, sizes(one.report)[name] / unit, 0),))
            for one in entries
            if name in sizes(one.report)
        ]
        if rows:
            groups.append((title, rows))
    return groups


def _model_bar(entry: Entry) -> Bar:
    sizes = entry.report.footprint_bytes
    parts = [sizes[name] for name in GRAPHS]
    parts.append(max(sizes["model"] - sum(parts), 0))
    segments = [
        (name, part / 10**6, i) for i, (name, part) in enumerate(zip(MODEL, parts, strict=True))
    ]
    return entry.bar(_megabytes(sizes["model"]), segments)


def _instruction_bar(entry: Entry, found: Mapping[str, Any]) -> Bar:
    segments = [
        (name, sum(found.get(one, 0) for one in classes) / 10**6, colour)
        for colour, (name, classes) in enumerate(INSTRUCTIONS.items())
    ]
    return entry.bar(f"{found['instructions'] / 10**6:.3g} million", segments)


def _estimated(report: Report, core: str, part: str) -> list[tuple[float, float]]:
    one = report.estimate["cores"].get(core, {"parts": {}})["parts"].get(part)
    return [(one["ms"], one["covered"])] if one else []


def _count(found: Mapping[str, Any], name: str) -> str:
    return f"{found[name]:,}" if name in found else ""


def _megabytes(size: float) -> str:
    return f"{size / 10**6:.3g} MB"


def _mebibytes(kib: float) -> str:
    return f"{kib / 1024:.3g} MiB"
