"""The C runner says what `capexport caption` says, token for token, or why it cannot."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from capexport.bench.description import describe, write_inputs
from capexport.bench.devices.host import Host
from capexport.bench.made_up import made_up
from capexport.bench.measurement import (
    DESCRIPTION,
    RUNNER,
    expected_caption,
    prepare,
    run_round,
)
from capexport.bench.settings import Settings
from capexport.bundle import Bundle
from capexport.errors import DeviceError, UnsupportedError
from capexport.runtime import RUNTIMES, Features, Given, Picture

BEAMS = (1, 3)
LOG_PROB_TOLERANCE = 1e-5
"""Nats: both add the same float32 numbers in one order; the rest is how they are printed."""


def given(bundle: Bundle, seed: int) -> Given:
    """Other inputs than the one that is made up: another number of regions, other pixels."""
    rng = np.random.default_rng(seed)
    _, example = made_up(bundle)
    if isinstance(example, Picture):
        return Picture(rng.integers(0, 256, example.pixels.shape).astype(np.uint8))
    regions = int(rng.integers(1, 12))
    return Features(
        rng.standard_normal((regions, example.att.shape[1])).astype(np.float32),
        rng.standard_normal(example.fc.shape).astype(np.float32),
        None if example.box is None else example.box[:regions],
    )


def short(runtime: str, beam: int) -> Settings:
    return Settings(runtime, beam, rounds=1, samples=2, warm_up=1)


def assert_same_caption(bundle: Bundle, settings: Settings, seen: Given, host: Host) -> list[int]:
    prepare(host, bundle, settings, seen)
    got, expected = run_round(host, settings), expected_caption(bundle, settings, seen)
    assert got["tokens"] == expected.tokens
    assert got["log_prob"] == pytest.approx(expected.log_prob, abs=LOG_PROB_TOLERANCE)
    return expected.tokens


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("beam", BEAMS)
def test_the_caption_is_that_of_python(bundle: Bundle, runtime: str, beam: int, host: Host) -> None:
    for seed in range(3):
        assert_same_caption(bundle, short(runtime, beam), given(bundle, seed), host)


RULES = (
    {"refill": True},
    {"refill": True, "length_penalty": 1.0},
    {"refill": True, "length_penalty": -0.5, "max_length": 5},
    {"refill": True, "early_stopping": True, "length_penalty": 2.0},
    {"suppress_unk": True, "unk": 30},
    {"max_length": 1},
)


@pytest.mark.parametrize("rule", RULES, ids=[", ".join(rule) for rule in RULES])
def test_every_rule_of_the_search(transformer: Bundle, rule: dict[str, object], host: Host) -> None:
    """On a vocabulary of which a third ends a caption now and then: many hypotheses end."""
    decoding = replace(transformer.manifest.decoding, **rule)  # type: ignore[arg-type]  # of RULES
    changed = replace(transformer, manifest=replace(transformer.manifest, decoding=decoding))
    for seed in range(2):
        for beam in (1, 2, 5):
            assert_same_caption(changed, short("litert", beam), given(changed, seed), host)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_samples_are_as_many_as_asked_for(up_down: Bundle, runtime: str, host: Host) -> None:
    settings = Settings(runtime, 2, rounds=1, samples=7)
    prepare(host, up_down, settings, made_up(up_down)[1])
    got = run_round(host, settings)
    assert {name: len(ms) for name, ms in got["samples_ms"].items()} == {
        "encoder": 7,
        "decoder_step": 7,
        "caption": 7,
    }
    assert all(ms > 0 for samples in got["samples_ms"].values() for ms in samples)
    stages = [got["rss_kib"][s] for s in ("start", "encoder_opened", "decoder_opened")]
    assert stages == sorted(stages)
    assert got["peak_rss_kib"] >= max(got["rss_kib"].values())
    own = got["own_kib"]
    assert 0 < own["start"] < own["opened"] <= got["rss_kib"]["decoder_opened"]
    assert own["end"] < got["rss_kib"]["end"]


def test_packed_weights_are_mapped_and_dense_ones_by_litert_alone(
    up_down: Bundle, transformer: Bundle, host: Host
) -> None:
    mapped = {}
    for bundle in (up_down, transformer):
        for runtime in RUNTIMES:
            prepare(host, bundle, short(runtime, 1), made_up(bundle)[1])
            got = run_round(host, short(runtime, 1))["mapped_bytes"]
            mapped[runtime, bundle.manifest.weights] = got > 0
    assert mapped == {
        ("litert", "packed"): True,
        ("litert", "dense"): True,
        ("onnxruntime", "packed"): True,
        ("onnxruntime", "dense"): False,
    }


# ---- what must fail, and say so


def with_line(host: Host, old: str, new: str, tmp_path: Path) -> None:
    text = host.pull(DESCRIPTION).decode()
    assert old in text
    (tmp_path / DESCRIPTION).write_text(text.replace(old, new, 1))
    host.push({DESCRIPTION: tmp_path / DESCRIPTION})


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("capexport-bench 1", "capexport-bench 2", "capexport-bench: is out of range"),
        ("beam 2", "beam 0", "beam: is out of range"),
        ("bos 2", "bos x", "bos: is no number"),
        ("threads 1\n", "", "threads: is not the key of the description's next line"),
        ("type float32", "type float16", "float16: is no type of elements"),
        ("length 36", "length 35", "input_0.bin: the file's size is not that of the shape"),
        ("runtime litert", "runtime other", "other: is no runtime"),
        ("decoder_step.tflite", "absent.tflite", "absent.tflite: LiteRtCreateModelFromFile"),
        ("./libLiteRt.so", "./absent.so", "encoder.tflite: LiteRT cannot be loaded: ./absent.so"),
        ("./libcapexport_litert.so", "./absent.so", "./absent.so: ./absent.so"),
    ],
)
def test_a_wrong_description_is_refused(
    old: str, new: str, reason: str, up_down: Bundle, host: Host, tmp_path: Path
) -> None:
    prepare(host, up_down, short("litert", 2), made_up(up_down)[1])
    with_line(host, old, new, tmp_path)
    outcome = host.run(RUNNER.file, [DESCRIPTION], 60)
    assert outcome.status == 1
    assert outcome.out == ""
    assert f"capexport_bench: {reason}" in outcome.err


def test_the_reason_reaches_the_user(up_down: Bundle, host: Host, tmp_path: Path) -> None:
    prepare(host, up_down, short("onnxruntime", 2), made_up(up_down)[1])
    with_line(host, "beam 2", "beam 0", tmp_path)
    with pytest.raises(DeviceError, match="ended with status 1: capexport_bench: beam: is out"):
        run_round(host, short("onnxruntime", 2))


def test_a_damaged_graph_is_named(up_down: Bundle, host: Host, tmp_path: Path) -> None:
    (tmp_path / "encoder.onnx").write_bytes(b"no graph")
    prepare(host, up_down, short("onnxruntime", 1), made_up(up_down)[1])
    host.push({"encoder.onnx": tmp_path / "encoder.onnx"})
    outcome = host.run(RUNNER.file, [DESCRIPTION], 60)
    assert outcome.status == 1
    assert "capexport_bench: encoder.onnx: Load model from encoder.onnx failed" in outcome.err


def test_a_name_that_fits_no_line_is_refused(up_down: Bundle) -> None:
    with pytest.raises(UnsupportedError, match="cannot be written"):
        describe(up_down, short("litert", 1), {}, library="a\nb", operators="")


def test_inputs_are_written_row_by_row(tmp_path: Path) -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    files = write_inputs({"x": array.T, "y": array.astype(np.uint8)}, tmp_path)
    assert files["input_0.bin"].read_bytes() == array.T.copy().tobytes()
    assert files["input_1.bin"].read_bytes() == bytes(range(6))
