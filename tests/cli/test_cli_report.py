"""`capexport report` from the command line."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from bench.reports import COUNTED, REPORT

from capexport.bench.report import write_report
from capexport.cli import main


@pytest.fixture
def reports(tmp_path: Path) -> list[str]:
    paths = [tmp_path / "measured.json", tmp_path / "counted.json"]
    write_report(replace(REPORT, doubts=("too hot",)), paths[0])
    write_report(COUNTED, paths[1])
    return [str(path) for path in paths]


def test_the_page_is_written_and_kept_without_force(
    reports: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    assert main(["report", *reports, "--html", str(page)]) == 0
    assert capsys.readouterr().out == f"{page}: 2 reports\n"
    drawn = page.read_text(encoding="utf-8")
    assert drawn.startswith("<!DOCTYPE html>")
    assert "<li>too hot</li>" in drawn
    page.write_text("mine")
    assert main(["report", *reports, "--html", str(page)]) == 1
    shown = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0].strip() for line in shown] == ["error", "where", "hint"]
    assert page.read_text() == "mine"
    assert main(["report", *reports, "--html", str(page), "--force", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document == {"html": str(page), "valid": dict(zip(reports, (False, True), strict=True))}
    assert page.read_text(encoding="utf-8") == drawn


def test_nothing_is_written_where_one_is_no_report(
    reports: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(tmp_path.iterdir())
    bad = tmp_path / "bad.json"
    bad.write_text("{}")
    assert main(["report", *reports, str(bad), "--html", str(tmp_path / "page.html")]) == 1
    shown = capsys.readouterr().err.splitlines()
    assert len(shown) == 3
    assert "no report of `capexport bench`" in shown[0]
    assert sorted(tmp_path.iterdir()) == sorted([*before, bad])


def test_it_needs_reports_and_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--html", "page.html"]) == 2
    assert main(["report", "a.json"]) == 2
    assert "--html" in capsys.readouterr().err
