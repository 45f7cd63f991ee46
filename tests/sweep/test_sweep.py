"""Sweeps of a small captioner on this machine: whole, resumed, and with cells that fail."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bench.reports import COUNTED, REPORT
from typer.testing import CliRunner

import capexport.sweep.task
from capexport.bench import Report, UnfinishedError, read_report
from capexport.cli import app
from capexport.errors import DeviceError
from capexport.sweep import Cell, Failure, Model
from capexport.sweep.digests import versions
from capexport.sweep.tables import tables
from capexport.sweep.task import measured_elsewhere

DENSE, PACKED = ("fp32", "dense"), ("dynamic_wi8", "packed")
NEEDS_CALIBRATION = ("static_wi8_ai8", "dense")


def run(suite: Path, *options: str) -> tuple[int, str]:
    out = suite.parent / "out"
    result = CliRunner().invoke(app, ["sweep", str(suite), "--out", str(out), *options])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout


def index(suite: Path) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads((suite.parent / "out/sweep.json").read_text())["cells"]
    return cells


def test_a_failed_cell_stops_no_other_and_is_listed(write_suite: Callable[..., Path]) -> None:
    suite = write_suite(["host", "no such device"], DENSE, NEEDS_CALIBRATION, PACKED)
    status, shown = run(suite)
    assert status == 1
    assert "Not measured: 4 of 6 cells" in shown
    assert "- small, fp32 dense, litert, no such device: there is no device 'no such" in shown
    assert [cell.get("error", {}).get("what", "") != "" for cell in index(suite)] == [
        False, True, True, True, False, True
    ]  # fmt: skip
    reports = [
        read_report(suite.parent / "out" / c["report"]) for c in index(suite) if "report" in c
    ]
    assert [report.settings["weights"] for report in reports] == ["dense", "packed"]
    assert all(report.output["as_expected"] for report in reports)
    assert "| small | dynamic_wi8 packed | litert | host (not valid) |" in shown  # two samples


def test_a_path_given_by_name_is_relative_to_where_one_is(
    checkpoint: Path, write_suite: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capexport.sweep.task, "bench", lambda *_, **__: REPORT)
    suite = write_suite(["host"], DENSE)
    suite.write_text(suite.read_text().replace(str(checkpoint.parent), "$WHERE"))
    monkeypatch.chdir(checkpoint.parent)
    assert run(suite, "--set", "WHERE=.")[0] == 0
    assert run(suite, "--set", "WHERE")[0] == 1


def test_a_finished_cell_is_kept_and_a_changed_one_measured(
    write_suite: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def counted(*given: Any, **options: Any) -> Report:
        calls.append(given)
        return REPORT

    monkeypatch.setattr(capexport.sweep.task, "bench", counted)
    suite = write_suite(["host"], DENSE, PACKED)
    assert run(suite)[0] == 0
    assert len(calls) == 2
    first = (suite.parent / "out/tables.md").read_text()
    assert run(suite)[0] == 0
    assert len(calls) == 2
    assert (suite.parent / "out/tables.md").read_text() == first
    write_suite(["host"], DENSE, PACKED, runs=3)
    run(suite)
    assert len(calls) == 4
    assert len(list((suite.parent / "out/bundles").iterdir())) == 2


def test_an_interrupted_sweep_keeps_what_it_finished(
    write_suite: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[Any] = [REPORT, KeyboardInterrupt(), REPORT]

    def interrupted(*given: Any, **options: Any) -> Report:
        answer = answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        report: Report = answer
        return report

    monkeypatch.setattr(capexport.sweep.task, "bench", interrupted)
    suite = write_suite(["host"], DENSE, PACKED)
    assert run(suite)[0] != 0
    assert [cell["form"] for cell in index(suite)] == ["fp32 dense"]
    assert run(suite)[0] == 0
    assert [cell["form"] for cell in index(suite)] == ["fp32 dense", "dynamic_wi8 packed"]
    assert not answers


def test_the_rounds_before_a_failure_are_kept_until_the_cell_is_measured(
    write_suite: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = DeviceError("adb lost the device", where="adb", hint="plug it in")

    def fail(*_: Any, **__: Any) -> Report:
        raise UnfinishedError(lost, replace(REPORT, doubts=("round 2: lost",)))

    monkeypatch.setattr(capexport.sweep.task, "bench", fail)
    suite = write_suite(["host"], DENSE)
    status, shown = run(suite)
    assert status == 1
    assert "adb lost the device (adb); plug it in; the rounds before are kept" in shown
    kept = suite.parent / "out" / index(suite)[0]["unfinished"]
    assert read_report(kept).doubts == ("round 2: lost",)
    monkeypatch.setattr(capexport.sweep.task, "bench", lambda *_, **__: REPORT)
    assert run(suite)[0] == 0
    assert not kept.exists()


@pytest.mark.parametrize("package", ["capexport", "ai-edge-litert"])
def test_a_worker_with_another_version_measures_nothing(package: str) -> None:
    asked_with = {**versions("litert"), package: "another"}
    result = measured_elsewhere(cell("float", "host"), {}, None, asked_with)
    assert isinstance(result, Failure)
    assert result.what == f"the worker has another version of {package}"


def test_another_caption_than_the_expected_one_is_exit_status_1(
    write_suite: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = replace(REPORT, output={**REPORT.output, "as_expected": False}, doubts=("tokens",))
    monkeypatch.setattr(capexport.sweep.task, "bench", lambda *_, **__: wrong)
    assert run(write_suite(["host"], DENSE))[0] == 1


def test_without_a_scheduler_at_the_address(write_suite: Callable[..., Path]) -> None:
    pytest.importorskip("distributed")
    suite = write_suite(["host"], DENSE)
    arguments = ["sweep", str(suite), "--out", str(suite.parent / "out")]
    result = CliRunner().invoke(app, [*arguments, "--scheduler", "nonsense://"])
    assert result.exit_code == 1
    assert "error: the scheduler cannot be reached" in result.stderr


# ---- tables


def cell(form: str, device: str) -> Cell:
    model = Model("small", form, Path(), "fp32", "dense", None, None, ("tflite",))
    return Cell(model, "litert", device, None, {})


def test_kinds_have_tables_of_their_own_and_ratios_are_to_the_first_row() -> None:
    counted = replace(COUNTED, counts={"encoder": {"instructions": 4_000_000}})
    half = replace(COUNTED, counts={"encoder": {"instructions": 2_000_000}})
    shown = tables(
        [
            (cell("float", "host"), REPORT),
            (cell("float", "qemu:a"), counted),
            (cell("int8", "qemu:a"), half),
            (cell("int8", "host"), Failure("it broke", "here", "mend it")),
        ]
    )
    measured, counts, failed = shown.split("\n### ")
    assert "Medians, measured-host" in measured
    assert "qemu" not in measured
    assert counts.startswith("Counts, emulated-counts")
    assert "| small | float | litert | qemu:a | 4 (1.00) |" in counts
    assert "| small | int8 | litert | qemu:a | 2 (0.50) |" in counts
    assert " ms" not in counts
    assert "Not measured: 1 of 4 cells" in failed
    assert "- small, int8, litert, host: it broke (here); mend it" in failed


def test_a_report_of_memory_alone_has_a_table() -> None:
    weighed = replace(COUNTED, counts={}, memory={"peak_rss_kib": 4096, "pss_kib": 3072})
    shown = tables([(cell("float", "qemu-system:a"), weighed)])
    assert shown.startswith("### Memory, emulated-counts")
    assert "| small | float | litert | qemu-system:a | 4 (1.00) | 3 (1.00) |" in shown


def test_an_estimate_has_a_table_for_each_part_and_says_what_it_assumes() -> None:
    core = {"stands_for": "Cortex-A76", "ghz": 2.4, "parts": {"encoder": {"ms": 3, "covered": 1}}}
    estimate = {"kind": "model-estimate", "cores": {"neoverse-n1": core}, "assumes": ["much"]}
    shown = tables([(cell("float", "qemu:a"), replace(COUNTED, estimate=estimate))])
    assert "### Estimated ms, model-estimate: encoder, one image" in shown
    assert "| Cortex-A76 2.4 GHz, without memory |" in shown
    assert "| 3 (1.00) |" in shown
    assert shown.rstrip().endswith("- much")
