"""Bytes of files, as they are and packed, held against a zip archive of the same files."""

import zipfile
from pathlib import Path

import pytest

from capexport.bench.footprint import ANDROID, GZIP_LEVEL, ZSTD_LEVEL, footprint, packers
from capexport.bundle import Bundle
from capexport.errors import RuntimeMissingError
from capexport.kernels.build import build

ZLIB_FRAME = 6
"""Bytes around a deflated stream; a zip archive has them elsewhere."""
MODEL = {
    "litert": ("encoder.tflite", "decoder_step.tflite", "manifest.json", "vocabulary.json"),
    "onnxruntime": ("encoder.onnx", "decoder_step.onnx", "manifest.json", "vocabulary.json"),
}


@pytest.fixture
def library(tmp_path: Path) -> Path:
    (tmp_path / "library.so").write_bytes(b"runtime" * 100)
    return tmp_path / "library.so"


@pytest.mark.parametrize("runtime", MODEL)
def test_files_are_as_large_as_in_an_archive(
    up_down: Bundle, runtime: str, library: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "a", "w", zipfile.ZIP_DEFLATED, compresslevel=GZIP_LEVEL) as a:
        for name in MODEL[runtime]:
            a.write(up_down.path / name, name)
        entries = a.infolist()
    sizes = footprint(up_down, runtime, library=library, operators=library)
    assert sizes["model"] == sum(entry.file_size for entry in entries)
    assert sizes["model_gzip"] == sum(entry.compress_size + ZLIB_FRAME for entry in entries)
    assert sizes["encoder"] + sizes["decoder_step"] == sum(e.file_size for e in entries[:2])
    assert sizes["runtime"] == sizes["operators"] == 700
    assert sizes["operators_gzip"] < 700


def test_a_dense_bundle_needs_no_operators(up_down: Bundle, library: Path) -> None:
    sizes = footprint(up_down, "litert", library=library, operators=None)
    assert not [name for name in sizes if name.startswith("operators")]


def test_an_app_has_the_model_deflated_and_the_library_stored(
    up_down: Bundle, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        ours = build(ANDROID[0], product=ANDROID[1])
    except RuntimeMissingError as error:
        pytest.skip(error.what)
    sizes = footprint(up_down, "litert", library=library, operators=None)
    assert sizes["apk"] == sizes["model_gzip"] + ours.stat().st_size

    def none(*_: object, **__: object) -> Path:
        raise RuntimeMissingError("no compiler", where="zig", hint="install one")

    monkeypatch.setattr("capexport.bench.footprint.build", none)
    assert "apk" not in footprint(up_down, "litert", library=library, operators=None)


def test_zstd_unpacks_to_the_same() -> None:
    zstandard = pytest.importorskip("zstandard")
    content = bytes(range(256)) * 40
    packed = packers()["zstd"](content)
    assert packed == zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(content)
    assert zstandard.ZstdDecompressor().decompress(packed) == content
    assert len(packed) < len(content)


def test_what_python_lacks_is_absent(
    up_down: Bundle, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("capexport.bench.footprint.find_spec", lambda _: None)
    assert list(packers()) == ["gzip"]
    sizes = footprint(up_down, "litert", library=library, operators=library)
    assert not [name for name in sizes if name.endswith("_zstd")]
