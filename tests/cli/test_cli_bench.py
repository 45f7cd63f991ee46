"""`capexport bench` and `capexport compare` from the command line; the measurement is a fake."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bench.reports import REPORT
from placeholder_bundle import write_bundle

import capexport.bench
from capexport.bench.report import Report, write_report
from capexport.cli import main


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    return str(write_bundle(tmp_path / "bundle").path)


def measured(monkeypatch: pytest.MonkeyPatch, report: Report) -> dict[str, Any]:
    """Let every measurement give this report; returns what it was asked for."""
    asked: dict[str, Any] = {}

    def bench(opened: object, device: str, settings: object, **others: Any) -> Report:
        asked.update({"device": device, "settings": settings, **others})
        return report

    monkeypatch.setattr(capexport.bench, "bench", bench)
    return asked


def test_the_card_is_shown_and_the_report_written(
    bundle: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = measured(monkeypatch, REPORT)
    out = tmp_path / "r.json"
    assert main(["bench", bundle, "--out", str(out), "--threads", "2"]) == 0
    assert capsys.readouterr().out.startswith("# bundle on host\n")
    assert json.loads(out.read_text())["latency_ms"]["caption"] == [1.0, 2.0, 3.0]
    assert (asked["device"], asked["settings"].runtime) == ("host", "litert")
    assert (asked["settings"].beam, asked["settings"].threads) == (2, 2)
    assert main(["bench", bundle, "--out", str(out)]) == 1
    assert "exists already" in capsys.readouterr().err


def test_json_is_the_whole_report(
    bundle: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measured(monkeypatch, REPORT)
    assert main(["bench", bundle, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "measured-host"


@pytest.mark.parametrize(
    ("doubts", "as_expected", "options", "status"),
    [
        (("too hot",), True, [], 0),
        (("too hot",), True, ["--strict"], 1),
        ((), True, ["--strict"], 0),
        (("other tokens",), False, [], 1),
    ],
)
def test_what_the_exit_status_says(
    doubts: tuple[str, ...],
    as_expected: bool,
    options: list[str],
    status: int,
    bundle: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    output = {**REPORT.output, "as_expected": as_expected}
    measured(monkeypatch, replace(REPORT, doubts=doubts, output=output))
    assert main(["bench", bundle, *options]) == status


@pytest.mark.parametrize("device", ["toaster", "host:2"])
def test_an_unknown_device_is_refused(
    device: str, bundle: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", bundle, "--device", device]) == 1
    assert f"there is no device '{device}'" in capsys.readouterr().err


def written(path: Path, factor: float) -> str:
    latency = {"caption": [[1.0 * factor, 1.1 * factor]] * 3}
    write_report(replace(REPORT, latency_ms=latency), path)
    return str(path)


def test_compare_says_what_grew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [written(tmp_path / "a.json", 1), written(tmp_path / "b.json", 2)]
    assert main(["compare", *paths]) == 0
    shown = capsys.readouterr().out
    assert [line for line in shown.splitlines() if "caption" in line and "more" in line]
    assert main(["compare", *paths, "--fail-over", "1.5"]) == 1
    assert "fell short: latency_ms.caption grew 2.000 times" in capsys.readouterr().out
    assert main(["compare", *reversed(paths), "--fail-over", "1.5", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["fell_short"] == []
    found = {one["name"]: one for one in document["comparisons"]}
    assert (found["caption"]["ratio"], found["caption"]["verdict"]) == (0.5, "less")
    assert (found["model"]["ratio"], found["model"]["verdict"]) == (1, "same")


def test_compare_refuses_what_is_no_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.json").write_text("{}")
    assert main(["compare", str(tmp_path / "a.json"), str(tmp_path / "a.json")]) == 1
    assert "no report of `capexport bench`" in capsys.readouterr().err
