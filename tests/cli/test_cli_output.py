"""What reaches stdout, and when stderr gets a spinner."""

import io
import json
import sys

import pytest

from capexport.cli.output import percent, print_facts, print_json, print_table
from capexport.cli.progress import stages


def test_json_writes_numbers_that_json_lacks_as_null(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"error": float("nan"), "rows": [1.5, float("inf")], "text": "Bär"})
    shown = capsys.readouterr().out
    assert json.loads(shown) == {"error": None, "rows": [1.5, None], "text": "Bär"}
    assert "Bär" in shown


def test_table_aligns_numbers_to_the_right(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("layer", "nnz"), [("a", "7"), ("longer", "12,345")])
    assert capsys.readouterr().out == "layer      nnz\na            7\nlonger  12,345\n"


def test_table_without_rows_is_its_head(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("layer", "nnz"), [])
    assert capsys.readouterr().out == "layer  nnz\n"


def test_facts_share_one_column(capsys: pytest.CaptureFixture[str]) -> None:
    print_facts([("a", "1"), ("longer", "2")])
    assert capsys.readouterr().out == "a       1\nlonger  2\n"


@pytest.mark.parametrize(
    ("fraction", "shown"),
    [
        (0.0, "0.0 %"),
        (0.9, "90.0 %"),
        (1.0, "100.0 %"),
        (0.99999, "> 99.9 %"),
        (0.00001, "< 0.1 %"),
        (3.5, "350.0 %"),
    ],
)
def test_percent_is_never_rounded_to_none_or_all(fraction: float, shown: str) -> None:
    assert percent(fraction) == shown


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_silent_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with stages() as stage:
        stage("writing encoder.onnx")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_progress_goes_to_a_terminal_on_stderr_and_leaves_stdout_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with stages() as stage:
        stage("writing [encoder].onnx")
        print("result")
    assert "writing [encoder].onnx" in screen.getvalue()
    assert "result" not in screen.getvalue()
    assert capsys.readouterr().out == "result\n"


def test_progress_can_be_declined(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with stages(shown=False) as stage:
        stage("writing encoder.onnx")
    assert screen.getvalue() == ""
