"""Cells and their reports -> Markdown: a table for each kind of number, with ratios."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from capexport.bench import Report
from capexport.bench.card import ESTIMATE, TITLES, milliseconds, table
from capexport.bench.report import KINDS
from capexport.sweep.suite import Cell
from capexport.sweep.task import Failure, Result

PARTS = ("encoder", "decoder_step", "caption")
NAMES = ("checkpoint", "form", "runtime", "device")
RATIO = "In brackets: ratio to the first row of the same checkpoint and device."
NOT_VALID = " (not valid)"

Measured = list[tuple[Cell, Report]]
Value = Callable[[Report], float | None]
"""A number of a report, None where it has none."""


def tables(results: Sequence[tuple[Cell, Result]]) -> str:
    """Numbers of two kinds are never in one table; cells without a report are listed at the end."""
    reports = [(cell, result) for cell, result in results if isinstance(result, Report)]
    parts = []
    for kind in KINDS:
        own = [(cell, report) for cell, report in reports if report.kind == kind]
        parts += [_latency(kind, own), _counts(kind, own), _memory(kind, own)]
    parts.append(_estimates([one for one in reports if one[1].estimate.get("cores")]))
    parts.append(_failures(results))
    return "\n\n".join(part for part in parts if part) + "\n"


def _latency(kind: str, reports: Measured) -> str:
    if not any(report.latency_ms for _, report in reports):
        return ""
    values = [(f"{TITLES[part]}, ms", _median(part)) for part in PARTS]
    values += [("peak RSS, MiB", _peak_mib), ("model, MB", _model_mb)]
    return _section(f"Medians, {kind}", reports, values)


def _counts(kind: str, reports: Measured) -> str:
    if not any(report.counts for _, report in reports):
        return ""
    values = [(f"{TITLES[part]}, M instructions", _instructions(part)) for part in PARTS]
    return _section(f"Counts, {kind}", reports, [*values, ("model, MB", _model_mb)])


def _memory(kind: str, reports: Measured) -> str:
    """Of those that tell nothing else."""
    alone = [(c, r) for c, r in reports if r.memory and not (r.latency_ms or r.counts)]
    if not alone:
        return ""
    values = [("peak RSS, MiB", _peak_mib), ("PSS, MiB", _pss_mib), ("model, MB", _model_mb)]
    return _section(f"Memory, {kind}", alone, values)


def _estimates(reports: Measured) -> str:
    """One table for each part, one column for each core model."""
    if not reports:
        return ""
    cores = {name: _core(core) for _, r in reports for name, core in r.estimate["cores"].items()}
    sections = [
        _section(
            f"Estimated ms, {ESTIMATE}: {TITLES[part]}",
            reports,
            [(cores[name], _estimated(name, part)) for name in cores],
        )
        for part in PARTS
    ]
    assumed = dict.fromkeys(a for _, report in reports for a in report.estimate["assumes"])
    return "\n\n".join([*sections, "\n".join(f"- {assumption}" for assumption in assumed)])


def _core(core: Mapping[str, Any]) -> str:
    memory = "" if core.get("copy_mb_s") else ", without memory"
    return f"{core['stands_for']} {core['ghz']} GHz{memory}"


def _section(
    title: str,
    reports: Measured,
    values: Sequence[tuple[str, Value]],
) -> str:
    rows = [
        (*_names(cell, report), *_cells(report, _first(cell, reports), values))
        for cell, report in reports
    ]
    columns = (*NAMES, *(name for name, _ in values))
    return f"### {title}\n\n{RATIO}\n\n{table(columns, rows)}"


def _names(cell: Cell, report: Report) -> tuple[str, ...]:
    doubt = "" if report.valid else NOT_VALID
    return cell.model.checkpoint, cell.model.form, cell.runtime, cell.device + doubt


def _first(cell: Cell, reports: Measured) -> Report:
    """What the cell's report is held against."""
    return next(
        report
        for other, report in reports
        if (other.model.checkpoint, other.device) == (cell.model.checkpoint, cell.device)
    )


def _cells(report: Report, first: Report, values: Sequence[tuple[str, Value]]) -> Iterator[str]:
    """Three significant digits, as of milliseconds, and the ratio."""
    for _, value in values:
        number, base = value(report), value(first)
        ratio = f" ({number / base:.2f})" if number is not None and base else ""
        yield "" if number is None else milliseconds(number) + ratio


def _median(part: str) -> Value:
    def value(report: Report) -> float | None:
        summary = report.summaries().get(part)
        return summary.p50 if summary else None

    return value


def _instructions(part: str) -> Value:
    return lambda report: _amount(report.counts.get(part, {}), "instructions", 10**6)


def _estimated(core: str, part: str) -> Value:
    def value(report: Report) -> float | None:
        parts = report.estimate["cores"].get(core, {"parts": {}})["parts"]
        return float(parts[part]["ms"]) if part in parts else None

    return value


def _amount(section: Mapping[str, float], name: str, unit: float) -> float | None:
    return section[name] / unit if name in section else None


def _model_mb(report: Report) -> float | None:
    return _amount(report.footprint_bytes, "model", 10**6)


def _peak_mib(report: Report) -> float | None:
    return _amount(report.memory, "peak_rss_kib", 1024)


def _pss_mib(report: Report) -> float | None:
    return _amount(report.memory, "pss_kib", 1024)


def _failures(results: Sequence[tuple[Cell, Result]]) -> str:
    failed = [(cell, result) for cell, result in results if isinstance(result, Failure)]
    if not failed:
        return ""
    lines = [f"- {cell}: {_reason(one)}" for cell, one in failed]
    return "\n".join([f"### Not measured: {len(failed)} of {len(results)} cells", "", *lines])


def _reason(failure: Failure) -> str:
    rounds = "; the rounds before are kept" if failure.unfinished else ""
    return f"{failure.what} ({failure.where}); {failure.hint}{rounds}"
