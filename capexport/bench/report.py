"""A measurement as a value, and its JSON document (schema 1): written whole, read with checks."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from capexport.bench.statistics import Rounds, Summary, summarize
from capexport.errors import InputError
from capexport.outputs import check_output, write_whole

SCHEMA = 1
KINDS = ("measured-host", "measured-device", "emulated-counts")
LIMIT = 1e18
"""Of any time, size or count: more (infinity too) is a damaged file."""


@dataclass(frozen=True)
class Report:
    """What was measured; a section that was not is empty.

    Args:
        kind: of latency, memory and counts, one of KINDS.
        device: facts, and its state before and after each round.
        bundle_sha256: of the bundle's manifest, which has the digests of its files.
        settings: what was asked for, and the runtime's version.
        output: the caption that came out: tokens, log_prob, text, steps, and whether it is
            `as_expected`, token for token that of `capexport caption` on this machine.
        latency_ms: samples by quantity and round.
        layers_ms: by graph, what the runtime said of its operators in calls beside those samples.
        memory: KiB by name.
        footprint_bytes: bytes by name.
        counts: per call of `encoder` and so on, numbers by name.
        estimate: by core model; always of the kind model-estimate.
        weights: totals of the checkpoint, and what the files hold of each matrix.
        quality: of the bundle's captions on a data set, by `capexport evaluate`.
        doubts: why it is not valid.
    """

    kind: str
    device: Mapping[str, Any]
    bundle_sha256: str
    settings: Mapping[str, Any]
    output: Mapping[str, Any]
    latency_ms: Mapping[str, Rounds] = field(default_factory=dict)
    layers_ms: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    memory: Mapping[str, int] = field(default_factory=dict)
    footprint_bytes: Mapping[str, int] = field(default_factory=dict)
    counts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    estimate: Mapping[str, Any] = field(default_factory=dict)
    weights: Mapping[str, Any] = field(default_factory=dict)
    quality: Mapping[str, Any] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()

    @property
    def valid(self) -> bool:
        return not self.doubts

    def summaries(self) -> dict[str, Summary]:
        """Statistics of every latency, in its order."""
        return {name: summarize(rounds) for name, rounds in self.latency_ms.items()}

    def document(self) -> dict[str, Any]:
        """The JSON document; README.md of this folder describes it."""
        whole = {
            "schema": SCHEMA,
            "kind": self.kind,
            "device": self.device,
            "bundle_sha256": self.bundle_sha256,
            "settings": self.settings,
            "output": self.output,
            "latency_ms": {
                name: [ms for one in rounds for ms in one]
                for name, rounds in self.latency_ms.items()
            },
            "rounds": {name: [len(one) for one in r] for name, r in self.latency_ms.items()},
            "summary_ms": {name: asdict(one) for name, one in self.summaries().items()},
            "layers_ms": self.layers_ms,
            "memory": self.memory,
            "footprint_bytes": self.footprint_bytes,
            "counts": self.counts,
            "estimate": self.estimate,
            "weights": self.weights,
            "quality": self.quality,
            "validity": {"valid": self.valid, "reasons": list(self.doubts)},
        }
        return {name: value for name, value in whole.items() if value != {}}


def write_report(report: Report, out: Path, *, force: bool = False) -> None:
    """Write the document to `out`, whole or not at all; raises as `outputs.check_output`."""
    check_output(out, force=force)
    text = json.dumps(report.document(), indent=1, ensure_ascii=False, allow_nan=False)
    write_whole(text + "\n", out)


def read_report(path: Path) -> Report:
    """The report in a file that `write_report` wrote, or another program by the same schema.

    Raises:
        InputError: it is no JSON, of another schema, or what it says does not fit together.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _no_report(path, f"it cannot be read: {error}") from error
    try:
        return _report(document)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise _no_report(path, reason) from error


def _report(document: Mapping[str, Any]) -> Report:
    if document["schema"] != SCHEMA:
        raise ValueError(f"its schema is {document['schema']!r}, this program reads {SCHEMA}")
    if document["kind"] not in KINDS:
        raise ValueError(f"its kind is {document['kind']!r}, not one of {', '.join(KINDS)}")
    lengths = document.get("rounds", {})
    return Report(
        kind=document["kind"],
        device=_mapping(document["device"], "device"),
        bundle_sha256=str(document["bundle_sha256"]),
        settings=_mapping(document["settings"], "settings"),
        output=_mapping(document.get("output", {}), "output"),
        latency_ms={
            name: _rounds(name, samples, lengths.get(name, [len(samples)]))
            for name, samples in _mapping(document.get("latency_ms", {}), "latency_ms").items()
        },
        layers_ms=_operators(_mapping(document.get("layers_ms", {}), "layers_ms")),
        memory=_numbers(document.get("memory", {}), "memory"),
        footprint_bytes=_numbers(document.get("footprint_bytes", {}), "footprint_bytes"),
        counts={
            part: _numbers(one, f"counts.{part}")
            for part, one in _mapping(document.get("counts", {}), "counts").items()
        },
        estimate=_estimate(_mapping(document.get("estimate", {}), "estimate")),
        weights=_weights(_mapping(document.get("weights", {}), "weights")),
        quality=_quality(_mapping(document.get("quality", {}), "quality")),
        doubts=tuple(str(reason) for reason in document["validity"]["reasons"]),
    )


def _rounds(name: str, samples: list[float], lengths: list[int]) -> Rounds:
    if not samples or not all(map(_is_amount, samples)):
        raise ValueError(f"latency_ms.{name} has something that is no time")
    if sum(lengths) != len(samples) or min(lengths) < 1:
        raise ValueError(f"rounds.{name} do not add up to its samples")
    ends = accumulate(lengths, initial=0)
    return tuple(tuple(samples[start:end]) for start, end in pairwise(ends))


def _estimate(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Raise ValueError or KeyError where it is not what `estimate.py` makes."""
    for name, core in _mapping(value.get("cores", {}), "estimate.cores").items():
        for part, one in _mapping(core["parts"], f"estimate.cores.{name}.parts").items():
            _numbers(one, f"estimate.cores.{name}.parts.{part}")
            if not one.keys() >= {"ms", "covered"}:
                raise ValueError(f"estimate.cores.{name}.parts.{part} has no ms or no covered")
    if not isinstance(value.get("assumes", []), list):
        raise ValueError("estimate.assumes is no list")
    return value


def _operators(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Raise ValueError or KeyError where it is not what `layers.py` makes."""
    for graph, one in value.items():
        name = f"layers_ms.{graph}"
        numbers = {key: _mapping(one, name)[key] for key in ("call_ms", "calls")}
        _numbers(numbers, name)
        for operator in one["operators"]:
            _numbers({key: operator[key] for key in ("p50_ms", "share")}, f"{name}.operators")
            if not all(isinstance(operator[key], str) for key in ("name", "operator")):
                raise ValueError(f"{name}.operators has a name that is no text")
    return value


def _weights(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Raise ValueError or KeyError where it is not what `weights.py` makes."""
    for number, layer in enumerate(value.get("layers", [])):
        name = f"weights.layers.{number}"
        sizes = {key: n for key, n in _mapping(layer, name).items() if key.endswith("_bytes")}
        _numbers({**sizes, **{key: layer[key] for key in ("nnz", "sparsity")}}, name)
        if not {"graph", "name", "bound_bytes"} <= layer.keys() or layer["sparsity"] > 1:
            raise ValueError(f"{name} has no graph, name or bound, or more zeros than numbers")
        if not isinstance(layer.get("shape", []), list):
            raise ValueError(f"{name}.shape is no list")
    return value


def _quality(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Raise ValueError where it is not what `quality.py` reads."""
    if value:
        _mapping(value["skipped"], "quality.skipped")
        _numbers(value["metrics"], "quality.metrics")
        low, high = value["cider_95"]
        numbers = {"images": value["images"], "beam": value["beam"], "low": low, "high": high}
        _numbers(numbers, "quality")
        if not isinstance(value["split"], str):
            raise ValueError("quality.split is no text")
    return value


def _numbers(value: Any, name: str) -> Mapping[str, Any]:
    for key, number in _mapping(value, name).items():
        if not _is_amount(number):
            raise ValueError(f"{name}.{key} is no amount")
    return dict(value)


def _is_amount(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < LIMIT


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{name} is no object")
    return value


def _no_report(path: Path, reason: str) -> InputError:
    return InputError(
        f"this is no report of `capexport bench`: {reason}",
        where=str(path),
        hint="give a file that `capexport bench --out` wrote",
    )
