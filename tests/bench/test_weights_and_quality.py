"""What an export notes of its matrices and an evaluation says, on the way into a report."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from bench.reports import KNOWN, QUALITY

from capexport.bench import Settings, bench
from capexport.bench.quality import read_quality
from capexport.bench.weights import weights_of
from capexport.bundle import Bundle
from capexport.errors import InputError


@pytest.mark.parametrize("weights", ["dense", "packed"])
def test_what_is_stored_is_no_less_than_the_bound_and_no_more_than_the_files(
    weights: str, up_down: Bundle, transformer: Bundle
) -> None:
    bundle = up_down if weights == "packed" else transformer
    assert bundle.manifest.weights == weights
    layers = weights_of(bundle.manifest)["layers"]
    assert {layer["graph"] for layer in layers} == {"encoder", "decoder_step"}
    for graph in ("encoder", "decoder_step"):
        stored = sum(layer["stored_bytes"] for layer in layers if layer["graph"] == graph)
        assert 0 < stored < (bundle.path / f"{graph}.tflite").stat().st_size
    assert all(layer["stored_bytes"] >= layer["bound_bytes"] for layer in layers)
    assert any(layer["sparsity"] > 0.5 for layer in layers)


def test_a_report_has_the_weights_and_the_quality_of_its_bundle(up_down: Bundle) -> None:
    settings = Settings("litert", 1, rounds=1, samples=1)
    report = bench(up_down, "host", settings, quality=QUALITY)
    assert report.quality == QUALITY
    assert report.weights["layers"] == weights_of(up_down.manifest)["layers"]
    assert report.weights["parameters"] > report.weights["nnz"]


def test_a_bundle_whose_export_noted_nothing(up_down: Bundle) -> None:
    assert weights_of(replace(up_down.manifest, provenance={})) == {}


def test_a_quality_is_read_without_its_captions(up_down: Bundle, tmp_path: Path) -> None:
    document = {**QUALITY, "bundle_sha256": up_down.sha256, "captions": [{"image": "a"}]}
    (tmp_path / "q.json").write_text(json.dumps(document))
    assert read_quality(tmp_path / "q.json", up_down) == KNOWN.quality


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({**QUALITY, "bundle_sha256": "00"}, "the quality is of another bundle"),
        (QUALITY, "'bundle_sha256' is missing"),
        ([], "this is no quality of captions"),
    ],
)
def test_what_is_no_quality_of_the_bundle(
    document: object, reason: str, up_down: Bundle, tmp_path: Path
) -> None:
    (tmp_path / "q.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match=reason):
        read_quality(tmp_path / "q.json", up_down)
