"""`capexport verify`: what it prints and when it fails. The comparison is a fake."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import capexport.evaluate.parity
from capexport.cli import main

DIFFERENCE = {"input": "one", "beam": 2, "expected": "a dog", "caption": "a cat"}
RESULT: dict[str, Any] = {
    "ok": True,
    "runtimes": {
        "litert": {
            "max_abs_log_prob_error": 1.5e-5,
            "mean_abs_log_prob_error": 2.5e-6,
            "steps": 1200,
            "captions_identical": 11,
            "captions_total": 12,
            "differences": [DIFFERENCE],
        }
    },
    "skipped": {"onnxruntime": "onnxruntime is not installed"},
    "inputs": "features.npz",
    "min_identical": 0.9,
    "tolerance": None,
}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """Replace the comparison; the result depends on the floor that it is given."""
    noted: list[tuple[object, ...]] = []

    def verify(
        checkpoint: Path,
        bundle: Path,
        inputs: Path | None,
        *,
        encoder: str | None,
        min_identical: float | None,
        progress: Callable[[str], None],
    ) -> dict[str, Any]:
        noted.append((checkpoint, bundle, inputs, encoder, min_identical))
        progress("comparing litert")
        return RESULT | {"ok": (min_identical or 0.9) <= 11 / 12}

    monkeypatch.setattr(capexport.evaluate.parity, "verify", verify)
    return noted


def test_arguments_reach_the_comparison(calls: list[tuple[object, ...]]) -> None:
    options = ["--inputs", "features.npz", "--min-identical", "0.5"]
    options += ["--encoder", "resnet50:weights.pth"]
    assert main(["verify", "checkpoint", "bundle", *options]) == 0
    features, encoder = Path("features.npz"), "resnet50:weights.pth"
    assert calls == [(Path("checkpoint"), Path("bundle"), features, encoder, 0.5)]


def test_inputs_encoder_and_floor_are_optional(calls: list[tuple[object, ...]]) -> None:
    assert main(["verify", "checkpoint", "bundle"]) == 0
    assert calls == [(Path("checkpoint"), Path("bundle"), None, None, None)]


def test_json_is_the_result(
    calls: list[tuple[object, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", "checkpoint", "bundle", "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert json.loads(captured.out) == RESULT


def test_table_shows_errors_captions_and_what_was_skipped(
    calls: list[tuple[object, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", "checkpoint", "bundle"]) == 0
    shown = capsys.readouterr().out
    assert "1.50e-05" in shown
    assert "2.50e-06" in shown
    assert "1,200" in shown
    assert "11 of 12" in shown
    assert "onnxruntime: skipped, onnxruntime is not installed" in shown
    assert "litert, one, beam 2: 'a cat', not 'a dog'" in shown


def test_falling_short_is_status_1_and_the_document_still_comes(
    calls: list[tuple[object, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--min-identical", "0.95", "--json"]
    assert main(["verify", "checkpoint", "bundle", *options]) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["ok"] is False
    assert captured.err.startswith("error: the bundle does not caption like its checkpoint\n")
    assert len(captured.err.splitlines()) == 3
