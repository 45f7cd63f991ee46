"""A whole measurement on this machine; nothing here asserts how long anything takes."""

from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from capexport.bench import Settings, bench, read_report
from capexport.bench.devices.host import Host
from capexport.bench.devices.target import Outcome
from capexport.bundle import Bundle
from capexport.cli import app
from capexport.errors import DeviceError, InputError


def test_a_report_of_this_machine(made: Path, up_down: Bundle) -> None:
    report = read_report(made)
    assert report.kind == "measured-host"
    assert report.bundle_sha256 == up_down.sha256
    assert report.output["as_expected"]
    assert [len(one) for one in report.latency_ms["caption"]] == [2, 2]
    assert [len(one) for one in report.latency_ms["load_encoder"]] == [1, 1]
    assert (
        report.footprint_bytes["decoder_step"]
        == (up_down.path / "decoder_step.tflite").stat().st_size
    )
    assert report.memory["peak_rss_kib"] >= report.memory["rss_end_kib"]
    assert len(report.device["states"]) == 2
    assert report.settings["architecture"] == "up_down_lstm"
    assert "caption: 4 samples are less than 30" in report.doubts


def test_another_caption_is_never_trusted(up_down: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    true_round = Host.run

    def lies(self: Host, *given: Any) -> Outcome:
        outcome = true_round(self, *given)
        return replace(outcome, out=outcome.out.replace('"tokens":[', '"tokens":[1,', 1))

    monkeypatch.setattr(Host, "run", lies)
    report = bench(up_down, "host", Settings("litert", 1, rounds=1, samples=1))
    assert not report.output["as_expected"]
    assert report.doubts[0].startswith("round 1: tokens [1, ")


def test_an_output_that_is_cut_off_is_an_error(
    up_down: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Host, "run", lambda *_: Outcome(0, '{"tokens":[1', ""))
    with pytest.raises(DeviceError, match="is no JSON"):
        bench(up_down, "host", Settings("litert", 1, rounds=1, samples=1))


def test_the_rounds_before_a_failure_are_reported(
    up_down: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true_round, calls = Host.run, count(1)

    def fails_in_the_third(self: Host, *given: Any) -> Outcome:
        return true_round(self, *given) if next(calls) < 3 else Outcome(1, "", "killed\n")

    monkeypatch.setattr(Host, "run", fails_in_the_third)
    out = tmp_path / "report.json"
    asked = ["--runtime", "litert", "--runs", "3", "--rounds", "3", "--out", str(out)]
    result = CliRunner().invoke(app, ["bench", str(up_down.path), *asked])
    assert result.exit_code == 1
    assert "the runner ended with status 1: killed" in result.stderr
    report = read_report(out)
    assert [len(one) for one in report.latency_ms["caption"]] == [1, 1]
    assert report.doubts[0] == "round 3: the runner ended with status 1: killed"


def test_a_runtime_that_the_bundle_lacks(up_down: Bundle) -> None:
    manifest = replace(up_down.manifest, runtimes=("litert",))
    with pytest.raises(InputError, match="no graphs for onnxruntime"):
        bench(replace(up_down, manifest=manifest), "host", Settings("onnxruntime", 1))


def test_a_beam_wider_than_the_vocabulary(up_down: Bundle) -> None:
    with pytest.raises(InputError, match="beam width is 1000"):
        bench(up_down, "host", Settings("litert", 1000))
