"""A bundle is written whole or not at all, and the same twice."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from capexport.bundle import Bundle, BundleFile, Manifest, create_bundle, open_bundle
from capexport.errors import BundleError
from capexport.spec.vocabulary import Vocabulary

Files = dict[str, bytes]
Snapshot = Callable[[Path], Files]

UNWRITABLE = "x" * 300
"""A file name longer than file systems allow: writing it fails after others were written."""


def test_created_bundle_opens_with_the_same_manifest(bundle: Bundle, manifest: Manifest) -> None:
    opened = open_bundle(bundle.path)
    assert opened == bundle
    assert replace(opened.manifest, files=()) == manifest


def test_files_are_read_back_by_name(bundle: Bundle, files: Files) -> None:
    assert {name: bundle.read(name) for name in files} == files
    assert bundle.file("encoder.onnx") == bundle.path / "encoder.onnx"


def test_unknown_file_is_refused(bundle: Bundle) -> None:
    with pytest.raises(BundleError, match=r"no file '\.\./secret'"):
        bundle.file("../secret")


def test_manifest_lists_every_file_but_itself(bundle: Bundle) -> None:
    present = {path.name: path.stat().st_size for path in bundle.path.iterdir()}
    listed = {file.name: file.bytes for file in bundle.manifest.files}
    assert set(present) - set(listed) == {"manifest.json"}
    assert all(present[name] == size for name, size in listed.items())


def test_two_creations_are_byte_identical(
    tmp_path: Path, manifest: Manifest, files: Files, snapshot: Snapshot
) -> None:
    first = create_bundle(tmp_path / "first", manifest, files, force=False)
    backwards = dict(reversed(files.items()))
    shuffled = replace(manifest, recipe=dict(reversed(list(manifest.recipe.items()))))
    second = create_bundle(tmp_path / "second", shuffled, backwards, force=False)
    assert snapshot(first.path) == snapshot(second.path)
    assert first.sha256 == second.sha256


def test_nothing_tells_where_it_was_written(bundle: Bundle, tmp_path: Path) -> None:
    assert str(tmp_path).encode() not in bundle.path.joinpath("manifest.json").read_bytes()


def test_permissions_are_those_of_an_ordinary_folder(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "ordinary").mkdir()
    assert bundle.path.stat().st_mode == (tmp_path / "ordinary").stat().st_mode


def test_card_is_made_from_the_manifest_when_none_is_given(
    tmp_path: Path, manifest: Manifest, files: Files
) -> None:
    del files["card.md"]
    card = create_bundle(tmp_path / "out", manifest, files, force=False).read("card.md").decode()
    for fact in ("up_down_lstm", "dynamic_wi8", "litert 2.1 or later", "beam 2", "encoder.tflite"):
        assert fact in card


def test_failing_write_leaves_nothing(tmp_path: Path, manifest: Manifest, files: Files) -> None:
    with pytest.raises(BundleError, match="cannot be written") as caught:
        create_bundle(tmp_path / "out", manifest, {**files, UNWRITABLE: b""}, force=False)
    assert caught.value.where == str(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_existing_output_is_refused_without_force(
    bundle: Bundle, manifest: Manifest, files: Files, snapshot: Snapshot
) -> None:
    before = snapshot(bundle.path)
    with pytest.raises(BundleError, match="exists already"):
        create_bundle(bundle.path, replace(manifest, weights="new"), files, force=False)
    assert snapshot(bundle.path) == before


def test_force_replaces_a_bundle(bundle: Bundle, manifest: Manifest, files: Files) -> None:
    create_bundle(bundle.path, replace(manifest, weights="new"), files, force=True)
    assert open_bundle(bundle.path).manifest.weights == "new"
    assert list(bundle.path.parent.iterdir()) == [bundle.path]


def test_old_bundle_survives_when_the_new_one_fails(
    bundle: Bundle, manifest: Manifest, files: Files
) -> None:
    with pytest.raises(BundleError, match="cannot be written"):
        create_bundle(bundle.path, manifest, {**files, UNWRITABLE: b""}, force=True)
    assert open_bundle(bundle.path) == bundle
    assert list(bundle.path.parent.iterdir()) == [bundle.path]


@pytest.mark.parametrize("kind", ["web app", "bundle with notes"])
def test_force_keeps_a_folder_that_only_looks_like_a_bundle(
    kind: str, bundle: Bundle, manifest: Manifest, files: Files, snapshot: Snapshot
) -> None:
    if kind == "web app":
        (bundle.path / "manifest.json").write_text('{"name": "my web app", "icons": []}')
    else:
        (bundle.path / "thesis.tex").write_text("years of work")
    before = snapshot(bundle.path)
    with pytest.raises(BundleError, match="no bundle: it is not replaced"):
        create_bundle(bundle.path, manifest, files, force=True)
    assert snapshot(bundle.path) == before


def test_force_replaces_a_damaged_bundle(bundle: Bundle, manifest: Manifest, files: Files) -> None:
    (bundle.path / "encoder.onnx").write_bytes(b"cut")
    (bundle.path / "card.md").unlink()
    create_bundle(bundle.path, manifest, files, force=True)
    assert open_bundle(bundle.path) == bundle


@pytest.mark.parametrize("kind", ["folder", "file", "dangling link"])
def test_force_replaces_nothing_but_bundles(
    kind: str, tmp_path: Path, manifest: Manifest, files: Files
) -> None:
    out = tmp_path / "precious"
    if kind == "folder":
        out.mkdir()
        (out / "thesis.tex").write_text("years of work")
    elif kind == "file":
        out.write_text("years of work")
    else:
        out.symlink_to(tmp_path / "nowhere")
    with pytest.raises(BundleError, match="no bundle: it is not replaced"):
        create_bundle(out, manifest, files, force=True)
    assert os.path.lexists(out)


def test_missing_parent_folder_is_an_error(
    tmp_path: Path, manifest: Manifest, files: Files
) -> None:
    with pytest.raises(BundleError, match="parent folder does not exist"):
        create_bundle(tmp_path / "no" / "out", manifest, files, force=False)
    assert list(tmp_path.iterdir()) == []


def test_graph_file_of_a_promised_runtime_must_be_there(
    tmp_path: Path, manifest: Manifest, files: Files
) -> None:
    del files["encoder.onnx"]
    with pytest.raises(ValueError, match=r"encoder\.onnx"):
        create_bundle(tmp_path / "out", manifest, files, force=False)


@pytest.mark.parametrize("name", ["../escape", "folder/file", "manifest.json", "vocabulary.json"])
def test_surplus_names_that_clash_or_escape_are_refused(
    name: str, tmp_path: Path, manifest: Manifest, files: Files
) -> None:
    with pytest.raises(ValueError, match=r"names|by itself"):
        create_bundle(tmp_path / "out", manifest, {**files, name: b""}, force=False)


def test_manifest_with_files_is_refused(tmp_path: Path, manifest: Manifest, files: Files) -> None:
    filled = replace(manifest, files=(BundleFile("a", 1, ""),))
    with pytest.raises(ValueError, match="lists its files"):
        create_bundle(tmp_path / "out", filled, files, force=False)


def test_bundle_for_one_runtime_has_only_its_graphs(
    tmp_path: Path, manifest: Manifest, files: Files
) -> None:
    one = replace(manifest, runtimes=("onnxruntime",), minimum_runtime={})
    kept = {name: data for name, data in files.items() if not name.endswith(".tflite")}
    bundle = create_bundle(tmp_path / "out", one, kept, force=False)
    assert json.loads((bundle.path / "manifest.json").read_text())["runtimes"] == {
        "onnxruntime": {"encoder": "encoder.onnx", "decoder_step": "decoder_step.onnx"}
    }


@pytest.mark.parametrize("pieces", [7, 9])
def test_every_token_needs_one_piece(
    pieces: int, tmp_path: Path, manifest: Manifest, files: Files
) -> None:
    wrong = replace(manifest, vocabulary=Vocabulary(("piece",) * pieces))
    with pytest.raises(ValueError, match="as many tokens"):
        create_bundle(tmp_path / "out", wrong, files, force=False)


def test_card_tells_what_rounding_took(tmp_path: Path, manifest: Manifest, files: Files) -> None:
    del files["card.md"]
    graphs = {"encoder": {"nnz": 12345, "rounded_to_zero": 0}}
    counted = replace(manifest, provenance={**manifest.provenance, "graphs": graphs})
    card = create_bundle(tmp_path / "out", counted, files, force=False).read("card.md").decode()
    assert "encoder 12,345, 0 of them rounded to zero" in card
