"""A small manifest and file contents that make a sound bundle; the graphs are never run here."""

from collections.abc import Callable
from pathlib import Path

import pytest

from capexport.bundle import Bundle, Manifest, create_bundle
from capexport.spec.decoding import Decoding
from capexport.spec.signature import (
    APPENDED,
    BEAMS,
    COUNTED,
    REGIONS,
    CaptionerSignature,
    StateSpec,
    TensorSpec,
)
from capexport.spec.vocabulary import Vocabulary

PIECES = ("<pad>", "<unk>", "<bos>", "<eos>", "▁a", "▁dog", "▁Größe", '▁"quoted"\\')


@pytest.fixture
def manifest() -> Manifest:
    signature = CaptionerSignature(
        inputs=(TensorSpec("att", (REGIONS, 6)), TensorSpec("fc", (1, 6))),
        memory=(TensorSpec("values", (REGIONS, 4)),),
        states=(
            StateSpec("h", (BEAMS, 4), start="h_start"),
            StateSpec("length", (BEAMS, 1), "int32"),
            StateSpec("position", (BEAMS,), "int32", update=COUNTED),
            StateSpec("keys", (BEAMS, 6, 4), update=APPENDED, rows=2),
        ),
        vocabulary_size=len(PIECES),
    )
    return Manifest(
        architecture="up_down_lstm",
        lineage="sparse-image-captioning",
        signature=signature,
        vocabulary=Vocabulary(PIECES),
        decoding=Decoding(bos=2, eos=3, pad=0, unk=1, max_length=16, beam=2),
        recipe={"encoder": "fp32", "decoder": "dynamic_wi8"},
        weights="dense",
        runtimes=("litert", "onnxruntime"),
        minimum_runtime={"litert": "2.1"},
        provenance={"capexport": "0.1.0", "checkpoint": {"config.json": "ab" * 32}},
    )


@pytest.fixture
def files() -> dict[str, bytes]:
    return {
        "encoder.tflite": b"tflite encoder",
        "decoder_step.tflite": b"tflite decoder step",
        "encoder.onnx": b"onnx encoder",
        "decoder_step.onnx": b"onnx decoder step",
        "card.md": b"# A captioner\n",
    }


@pytest.fixture
def bundle(tmp_path: Path, manifest: Manifest, files: dict[str, bytes]) -> Bundle:
    return create_bundle(tmp_path / "captioner", manifest, files, force=False)


@pytest.fixture
def snapshot() -> Callable[[Path], dict[str, bytes]]:
    """Contents of every file below a folder, by its path relative to the folder."""

    def read(folder: Path) -> dict[str, bytes]:
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        return {str(path.relative_to(folder)): path.read_bytes() for path in paths}

    return read
