"""A report survives its file, and a file that is none is refused with the reason."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bench.reports import COUNTED, KNOWN, LAYERS, QUALITY, REPORT, TIMED

from capexport.bench.card import card, milliseconds
from capexport.bench.report import Report, read_report, write_report
from capexport.errors import InputError


@pytest.mark.parametrize("report", [REPORT, COUNTED, KNOWN, TIMED])
def test_a_report_comes_back_from_its_file(report: Report, tmp_path: Path) -> None:
    write_report(report, tmp_path / "r.json")
    assert read_report(tmp_path / "r.json") == report


def test_absent_sections_are_absent_never_zero() -> None:
    document = COUNTED.document()
    assert "latency_ms" not in document
    assert "memory" not in document
    assert "estimate" not in document
    assert REPORT.document().keys() >= {"latency_ms", "memory", "validity", "summary_ms"}
    assert "counts" not in REPORT.document()


def test_the_document_has_every_sample_and_the_rounds() -> None:
    document = REPORT.document()
    assert document["schema"] == 1
    assert document["latency_ms"]["encoder"] == [1.0, 2.0, 3.0]
    assert document["rounds"]["encoder"] == [2, 1]
    assert document["validity"] == {"valid": True, "reasons": []}


def test_doubts_make_it_invalid() -> None:
    report = replace(REPORT, doubts=("too hot",))
    assert report.document()["validity"] == {"valid": False, "reasons": ["too hot"]}
    assert "**Not valid**" in card(report)
    assert "- too hot" in card(report)


def test_an_existing_file_needs_force(tmp_path: Path) -> None:
    out = tmp_path / "r.json"
    out.write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        write_report(REPORT, out)
    assert out.read_text() == "mine"
    write_report(REPORT, out, force=True)
    assert read_report(out) == REPORT
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]


def test_nothing_is_left_when_it_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Out of range"):
        write_report(replace(REPORT, output={"log_prob": float("nan")}), tmp_path / "r.json")
    with pytest.raises(InputError, match="parent folder does not exist"):
        write_report(REPORT, tmp_path / "absent" / "r.json")
    assert list(tmp_path.iterdir()) == []


OPERATORS = {"call_ms": 1.0, "calls": 3, "operators": []}


def operator(**other: object) -> dict[str, Any]:
    """A graph with one, of which something is otherwise."""
    one = {"name": "a", "operator": "Mul", "p50_ms": 0.5, "share": 1.0, **other}
    return {**OPERATORS, "operators": [one]}


def without(key: str) -> Callable[[dict[str, Any]], object]:
    return lambda document: document.pop(key)


def having(key: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda document: document.update({key: value})


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (without("kind"), "'kind' is missing"),
        (without("validity"), "'validity' is missing"),
        (having("schema", 2), "its schema is 2"),
        (having("kind", "guessed"), "its kind is 'guessed'"),
        (having("device", 3), "device is no object"),
        (having("latency_ms", {"encoder": []}), "has something that is no time"),
        (having("latency_ms", {"encoder": [1, -1, 2]}), "has something that is no time"),
        (having("latency_ms", {"encoder": [1, True, 2]}), "has something that is no time"),
        (having("memory", {"peak_rss_kib": "1"}), "memory.peak_rss_kib is no amount"),
        (having("footprint_bytes", {"model": -1}), "footprint_bytes.model is no amount"),
        (having("counts", {"encoder": {"sdot": None}}), "counts.encoder.sdot is no amount"),
        (having("memory", {"pss_kib": 10**400}), "memory.pss_kib is no amount"),
        (having("memory", {"pss_kib": float("nan")}), "memory.pss_kib is no amount"),
        (having("estimate", {"assumes": 3}), "estimate.assumes is no list"),
        (having("counts", {"encoder": 3}), "counts.encoder is no object"),
        (having("estimate", {"cores": {"x": {}}}), "'parts' is missing"),
        (having("estimate", {"cores": {"x": {"parts": {"encoder": {"ms": 1}}}}}), "no covered"),
        (having("layers_ms", {"encoder": {"calls": 3}}), "'call_ms' is missing"),
        (having("layers_ms", {"encoder": OPERATORS | {"call_ms": -1}}), "call_ms is no amount"),
        (having("layers_ms", {"encoder": operator(share="x")}), "operators.share is no amount"),
        (having("layers_ms", {"encoder": operator(name=3)}), "a name that is no text"),
        (having("rounds", {"encoder": [2, 2]}), "do not add up"),
        (having("rounds", {"encoder": [3, 0]}), "do not add up"),
    ],
)
def test_a_file_that_is_none_is_refused(
    damage: Callable[[dict[str, Any]], object], reason: str, tmp_path: Path
) -> None:
    document = json.loads(json.dumps(REPORT.document()))
    damage(document)
    path = tmp_path / "r.json"
    path.write_text(json.dumps(document))
    with pytest.raises(InputError, match=reason):
        read_report(path)


@pytest.mark.parametrize("text", ["", "[1]", "null", "\xff", "[" * 100_000])
def test_what_is_no_report_at_all(text: str, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match="no report of"):
        read_report(path)


# ---- the card


def test_every_table_of_the_card_says_its_kind() -> None:
    text = card(REPORT)
    for title in ("## Latency", "## Memory"):
        assert "measured-host" in text.split(title)[1].split("##")[0]
    assert "'dog'" in text
    assert "## Counts" not in text
    counted = card(COUNTED)
    assert "emulated-counts" in counted.split("## Counts")[1]
    assert "Latency" not in counted
    assert " ms" not in counted


@pytest.mark.parametrize(
    ("value", "text"), [(0.012345, "0.0123"), (4.5, "4.5"), (123.4, "123"), (12345.6, "12346")]
)
def test_times_have_three_digits(value: float, text: str) -> None:
    assert milliseconds(value) == text


# ---- weights and quality


def test_the_card_has_quality_and_what_is_stored_of_each_matrix() -> None:
    shown = card(KNOWN)
    assert "| quality | 210 images of test |" in shown
    assert "| CIDEr-D | 1.5000 |" in shown
    assert "CIDEr-D lies between 1.250 and 1.750 (95 %, images drawn again). Beam 1." in shown
    assert "SPICE: skipped, no Java" in shown
    assert "| att_embed.weight | encoder | 8 x 100 | 90.0% | 150 | 127 | 1.18 |" in shown
    assert "| logit.weight | decoder_step | 10 x 8 | 0.0% |  | 80 |  |" in shown
    assert "## Quality" not in card(REPORT)
    assert "## Weights" not in card(REPORT)


@pytest.mark.parametrize(
    ("section", "value", "reason"),
    [
        ("weights", {"layers": [3]}, "weights.layers.0 is no object"),
        ("weights", {"layers": [{**LAYERS[0], "stored_bytes": -1}]}, "stored_bytes is no amount"),
        ("weights", {"layers": [{**LAYERS[0], "sparsity": 1.5}]}, "more zeros than numbers"),
        ("weights", {"layers": [{**LAYERS[0], "shape": "8"}]}, "shape is no list"),
        ("quality", {**QUALITY, "metrics": {"CIDEr-D": "good"}}, "CIDEr-D is no amount"),
        ("quality", {**QUALITY, "cider_95": [1.0]}, "not enough values"),
        ("quality", {"metrics": {}}, "is missing"),
    ],
)
def test_weights_and_quality_that_are_none(
    section: str, value: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    (tmp_path / "r.json").write_text(json.dumps({**KNOWN.document(), section: value}))
    with pytest.raises(InputError, match=reason):
        read_report(tmp_path / "r.json")
