"""`capexport inspect` on a real small checkpoint and on a bundle."""

import hashlib
import json
from pathlib import Path
from typing import Any

import onnx
import pytest
from checkpoints import SMALL, write_up_down
from litert_files import plan
from packed_files import open_packed
from placeholder_bundle import PIECES, write_bundle

from capexport.checkpoint import read_checkpoint
from capexport.cli import main
from capexport.export import export


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inspect") / "checkpoint"
    write_up_down(folder)
    return folder


def inspect_json(path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(["inspect", str(path), "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    document: dict[str, Any] = json.loads(captured.out)
    return document


def test_checkpoint_as_json_has_the_documented_shape(
    checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = inspect_json(checkpoint, capsys)
    expected = read_checkpoint(checkpoint)
    assert document["kind"] == "checkpoint"
    assert document["lineage"] == "sparse-image-captioning"
    assert document["architecture"] == "up_down_lstm"
    assert document["parameters"] == expected.parameters
    assert document["nnz"] == expected.nnz
    assert document["bytes"] == (checkpoint / document["file"]).stat().st_size
    assert set(document["size_bound_bytes"]) == {"int8", "int4"}
    assert document["vocabulary"] == {"size": SMALL.vocabulary}
    assert document["decoding"]["max_length"] == SMALL.max_length


def test_layers_add_up_to_the_whole(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = inspect_json(checkpoint, capsys)
    elements = sum(rows * columns for rows, columns in (x["shape"] for x in document["layers"]))
    assert sum(layer["nnz"] for layer in document["layers"]) == document["nnz"]
    assert document["sparsity"] == pytest.approx(1 - document["nnz"] / elements)
    assert set(document["layers"][0]) == {"name", "shape", "nnz", "sparsity"}


def test_checkpoint_as_table_names_every_layer(
    checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = inspect_json(checkpoint, capsys)
    assert main(["inspect", str(checkpoint)]) == 0
    shown = capsys.readouterr().out
    assert f"{document['parameters']:,}" in shown
    for layer in document["layers"]:
        rows, columns = layer["shape"]
        assert f"{layer['name']} " in shown
        assert f"{rows} x {columns}" in shown


def test_bundle_as_json_adds_files_recipe_weights_runtimes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = write_bundle(tmp_path / "bundle")
    document = inspect_json(bundle.path, capsys)
    assert document["kind"] == "bundle"
    assert document["recipe"] == {"encoder": "fp32", "decoder": "dynamic_wi8"}
    assert document["weights"] == "dense"
    assert document["runtimes"] == ["litert", "onnxruntime"]
    assert document["vocabulary"] == {"size": len(PIECES)}
    assert (document["parameters"], document["nnz"]) == (120, 12)
    for file in document["files"]:
        data = (bundle.path / file["name"]).read_bytes()
        assert file["bytes"] == len(data)
        assert file["sha256"] == hashlib.sha256(data).hexdigest()
    assert document["bytes"] == sum(file["bytes"] for file in document["files"])


def test_bundle_as_table_names_every_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = write_bundle(tmp_path / "bundle", ("litert",))
    assert main(["inspect", str(bundle.path)]) == 0
    shown = capsys.readouterr().out
    assert "encoder fp32, decoder dynamic_wi8; dense weights" in shown
    assert "decoder_step.tflite" in shown
    assert "onnx" not in shown


def test_an_exported_bundle_counts_its_operators(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = export(checkpoint, tmp_path / "bundle", weights="packed")
    document = inspect_json(bundle.path, capsys)
    assert document["layers"] == inspect_json(checkpoint, capsys)["layers"]
    operators = document["operators"]
    for graph in ("encoder", "decoder_step"):
        nodes = onnx.load(bundle.file(f"{graph}.onnx")).graph.node
        assert sum(operators[f"{graph}.onnx"].values()) == len(nodes)
        opened = open_packed(bundle.file(f"{graph}.tflite").read_bytes())
        assert operators[f"{graph}.tflite"] == plan(opened).operators
    assert operators["encoder.tflite"] == {"CapexportSparseInt8Linear": 4}
    assert operators["encoder.onnx"] == {"capexport.SparseInt8MatMul": 4}
    assert main(["inspect", str(bundle.path)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    for layer in document["layers"]:
        assert layer["name"] in [line[0] for line in lines if line]
    both = [sum(operators[f"{g}.tflite"].values()) for g in ("decoder_step", "encoder")]
    assert ["all", "operators", *map(str, both)] in lines


def test_a_changed_bundle_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = write_bundle(tmp_path / "bundle")
    (bundle.path / "encoder.onnx").write_bytes(b"changed.onnx")
    assert main(["inspect", str(bundle.path)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")


def test_a_path_that_is_not_there_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", str(tmp_path / "nothing")]) == 1
    assert str(tmp_path / "nothing") in capsys.readouterr().err
