"""A report -> a page of Markdown for people: every number with its kind."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from capexport.bench.report import Report
from capexport.bench.statistics import Summary

TITLES = {
    "encoder": "encoder, one image",
    "decoder_step": "decoder step, all beams",
    "caption": "caption, encoder included",
    "load_encoder": "opening the encoder",
    "load_decoder_step": "opening the decoder",
    "first_encoder": "first encoder call",
    "first_caption": "first caption",
}
ESTIMATE = "model-estimate"


def card(report: Report) -> str:
    """Markdown; sections that the report does not have are left out."""
    parts = [
        _head(report),
        _latency(report),
        _memory(report),
        _footprint(report),
        _counts(report),
        _estimate(report),
        _quality(report),
        _layers(report),
        _validity(report),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table, the columns behind the first to the right."""
    ruler = ["---", *["---:"] * (len(columns) - 1)]
    lines = [columns, ruler, *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def milliseconds(value: float) -> str:
    """Three significant digits, more before the point where there are more."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _head(report: Report) -> str:
    settings, output = report.settings, report.output
    asked = [
        f"{settings['runtime']} {settings.get('runtime_version', '')}".strip(),
        f"beam {settings['beam']}",
        f"{settings['threads']} thread{'s' * (settings['threads'] != 1)}",
        f"input: {settings.get('input', 'unknown')}",
    ]
    if "cores" in settings:
        asked.append(f"on {settings['cores']['wanted']} cores, mask {settings['cores']['mask']}")
    lines = [
        f"# {settings.get('architecture', 'bundle')} on {report.device.get('name', 'a device')}",
        "",
        f"{_cores(report.device)}{', '.join(asked)}. Bundle {report.bundle_sha256[:12]}.",
    ]
    if "text" in output:
        words = f"{output['steps']} steps: {output['text']!r}"
        lines += ["", f"Caption, {words}."]
    return "\n".join(lines)


def _cores(device: Mapping[str, Any]) -> str:
    names = device.get("core_names", {})
    return "".join(f"{count} x {name}; " for name, count in names.items())


def _latency(report: Report) -> str:
    summaries = report.summaries()
    if not summaries:
        return ""
    columns = (f"ms, {report.kind}", "p50", "95 % of p50", "p90", "p99", "samples")
    rows = [(TITLES.get(name, name), *_times(one)) for name, one in summaries.items()]
    text = "## Latency\n\n" + table(columns, rows)
    per_word = summaries["caption"].p50 / report.output["steps"] if "caption" in summaries else 0
    return text + (f"\n\nOne step of a caption takes {milliseconds(per_word)} ms." * bool(per_word))


def _times(one: Summary) -> Iterator[str]:
    yield milliseconds(one.p50)
    yield f"{milliseconds(one.low)} to {milliseconds(one.high)}"
    yield milliseconds(one.p90)
    yield milliseconds(one.p99)
    yield str(one.count)


def _memory(report: Report) -> str:
    rows = [(name.removesuffix("_kib"), f"{kib:,}") for name, kib in report.memory.items()]
    return "## Memory\n\n" + table((f"KiB, {report.kind}", "most"), rows) if rows else ""


def _footprint(report: Report) -> str:
    rows = [(name, f"{size:,}") for name, size in report.footprint_bytes.items()]
    return "## Footprint\n\n" + table(("bytes of files", "size"), rows) if rows else ""


def _counts(report: Report) -> str:
    if not report.counts:
        return ""
    names = list(dict.fromkeys(name for one in report.counts.values() for name in one))
    rows = [
        (name, *(f"{one.get(name, 0):,}" for one in report.counts.values()))
        for name in names
        if any(one.get(name) for one in report.counts.values())
    ]
    columns = (f"per call, {report.kind}", *(TITLES.get(part, part) for part in report.counts))
    return "## Counts\n\n" + table(columns, rows)


def _estimate(report: Report) -> str:
    if not report.estimate:
        return ""
    rows = [
        (model, one["stands_for"], f"{one['ghz']} GHz", part, milliseconds(ms), f"{covered:.0%}")
        for model, one in report.estimate["cores"].items()
        for part, (ms, covered) in ((p, (v["ms"], v["covered"])) for p, v in one["parts"].items())
    ]
    columns = (f"{ESTIMATE}", "core", "clock", "part", "ms", "of the instructions")
    notes = "\n".join(f"- {note}" for note in report.estimate["assumes"])
    return f"## Estimate\n\n{table(columns, rows)}\n\n{notes}"


def _quality(report: Report) -> str:
    quality = report.quality
    if not quality:
        return ""
    low, high = quality["cider_95"]
    columns = ("quality", f"{quality['images']} images of {quality['split'] or 'all'}")
    rows = [(name, f"{value:.4f}") for name, value in quality["metrics"].items()]
    note = f"CIDEr-D lies between {low:.3f} and {high:.3f} (95 %, images drawn again)."
    skipped = "".join(f"\n\n{name}: skipped, {why}" for name, why in quality["skipped"].items())
    return f"## Quality\n\n{table(columns, rows)}\n\n{note} Beam {quality['beam']}.{skipped}"


def _layers(report: Report) -> str:
    """Each matrix: what the files hold of it, which is what a call reads, against the least."""
    layers = report.weights.get("layers", [])
    if not layers:
        return ""
    columns = ("matrix", "graph", "shape", "zeros", "bytes stored", "int8 bound", "ratio")
    rows = [
        (
            layer["name"],
            layer["graph"],
            " x ".join(map(str, layer.get("shape", ()))),
            f"{layer['sparsity']:.1%}",
            *_stored(layer),
        )
        for layer in layers
    ]
    return "## Weights\n\n" + table(columns, rows)


def _stored(layer: Mapping[str, Any]) -> Iterator[str]:
    stored, bound = layer.get("stored_bytes"), layer["bound_bytes"]
    yield "" if stored is None else f"{stored:,}"
    yield f"{bound:,}"
    yield f"{stored / bound:.2f}" if stored and bound else ""


def _validity(report: Report) -> str:
    if report.valid:
        return "## Validity\n\nValid."
    reasons = "\n".join(f"- {doubt}" for doubt in report.doubts)
    return f"## Validity\n\n**Not valid**: do not quote these numbers.\n\n{reasons}"
