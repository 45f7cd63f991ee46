"""Damaged and hostile bundles: each is refused, with an error of its own."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from capexport.bundle import Bundle, open_bundle
from capexport.bundle.document import checksum
from capexport.errors import BundleError

Document = dict[str, Any]


def rewrite(bundle: Bundle, change: Callable[[Document], object]) -> None:
    """Change the manifest and give it the checksum that fits, as a forger would."""
    path = bundle.path / "manifest.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps({**document, "checksum": checksum(document)}))


def refuses(bundle: Bundle, message: str) -> BundleError:
    with pytest.raises(BundleError, match=message) as caught:
        open_bundle(bundle.path)
    assert str(bundle.path) in caught.value.where
    assert caught.value.hint
    return caught.value


def test_rewritten_but_unchanged_manifest_opens(bundle: Bundle) -> None:
    rewrite(bundle, lambda document: None)
    assert open_bundle(bundle.path) == bundle


@pytest.mark.parametrize(
    "name",
    [
        "encoder.tflite",
        "decoder_step.tflite",
        "encoder.onnx",
        "decoder_step.onnx",
        "vocabulary.json",
        "card.md",
    ],
)
def test_changed_byte(name: str, bundle: Bundle) -> None:
    data = bytearray(bundle.read(name))
    data[len(data) // 2] ^= 1
    (bundle.path / name).write_bytes(data)
    refuses(bundle, f"{name} was changed")


def test_changed_byte_in_the_manifest_never_changes_its_meaning(bundle: Bundle) -> None:
    path = bundle.path / "manifest.json"
    original = path.read_bytes()
    refused = 0
    for position in range(len(original)):
        data = bytearray(original)
        data[position] ^= 1
        path.write_bytes(data)
        try:
            assert open_bundle(bundle.path) == bundle
        except BundleError:
            refused += 1
    spaces = original.count(b" ") + original.count(b"\n")
    assert refused >= len(original) - spaces


def test_changed_value_in_the_manifest(bundle: Bundle) -> None:
    path = bundle.path / "manifest.json"
    path.write_text(path.read_text().replace('"max_length": 16', '"max_length": 17'))
    refuses(bundle, "checksum does not match")


def test_truncated_file(bundle: Bundle) -> None:
    (bundle.path / "encoder.onnx").write_bytes(b"")
    refuses(bundle, r"encoder\.onnx has 0 bytes, not 12")


def test_missing_file(bundle: Bundle) -> None:
    (bundle.path / "card.md").unlink()
    refuses(bundle, r"card\.md is missing")


@pytest.mark.parametrize("name", ["notes.txt", ".hidden", "encoder.onnx.data"])
def test_surplus_file(name: str, bundle: Bundle) -> None:
    (bundle.path / name).write_text("")
    refuses(bundle, f"{name} does not belong")


def test_link_out_of_the_folder(bundle: Bundle, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(bundle.read("card.md"))
    (bundle.path / "card.md").unlink()
    (bundle.path / "card.md").symlink_to(outside)
    refuses(bundle, r"card\.md is no plain file")


@pytest.mark.parametrize(
    "name",
    ["../card.md", "/etc/passwd", "sub/card.md", "..", "", "a\\b", "C:card.md", "a\0b", ".x"],
)
def test_file_name_that_leads_out_of_the_folder(name: str, bundle: Bundle) -> None:
    rewrite(bundle, lambda document: document["files"][0].update(name=name))
    refuses(bundle, "leads out of the folder")


def test_file_listed_twice(bundle: Bundle) -> None:
    rewrite(bundle, lambda document: document["files"].append(document["files"][0]))
    refuses(bundle, r"card\.md is listed twice")


def test_manifest_that_lists_itself(bundle: Bundle) -> None:
    rewrite(bundle, lambda document: document["files"][0].update(name="manifest.json"))
    refuses(bundle, r"manifest\.json is listed twice")


@pytest.mark.parametrize("name", ["vocabulary.json", "encoder.tflite"])
def test_needed_file_that_is_not_listed(name: str, bundle: Bundle) -> None:
    def drop(document: Document) -> None:
        document["files"] = [file for file in document["files"] if file["name"] != name]

    rewrite(bundle, drop)
    refuses(bundle, f"does not list {name}")


def test_newer_schema_says_which_version_reads_it(bundle: Bundle) -> None:
    rewrite(bundle, lambda d: d.update(schema=3, provenance={"capexport": "3.4"}, files="new"))
    error = refuses(bundle, "schema 3, this capexport reads schemas up to 2")
    assert "capexport 3.4 or later" in error.hint


def test_newer_schema_without_a_version(bundle: Bundle) -> None:
    rewrite(bundle, lambda document: document.update(schema=7, provenance=None))
    assert "schema 7" in refuses(bundle, "schema 7").hint


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"\xff\xfe", b'{"schema": 1, "schema": 1}', b"[" * 100_000, b"1" * 10_000],
    ids=["empty", "truncated", "not utf-8", "key twice", "deep nesting", "huge number"],
)
def test_damaged_json(text: bytes, bundle: Bundle) -> None:
    (bundle.path / "manifest.json").write_bytes(text)
    refuses(bundle, "no valid JSON")


def test_json_that_is_no_object(bundle: Bundle) -> None:
    (bundle.path / "manifest.json").write_text("[1]")
    refuses(bundle, "must be an object")


def paths(value: object, prefix: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every key of a JSON document, as the path that leads to it."""
    if isinstance(value, dict):
        items: list[tuple[str | int, object]] = list(value.items())
        own = [(*prefix, key) for key, _ in items]
    elif isinstance(value, list):
        items, own = list(enumerate(value)), []
    else:
        return []
    return own + [path for key, item in items for path in paths(item, (*prefix, key))]


def follow(document: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        document = document[key]
    return document


OPTIONAL = {"minimum_version", "litert", "onnxruntime", "capexport", "checkpoint", "config.json"}
OPTIONAL |= {"start", "update", "pieces", "continuation"}  # schema 1 has none of them
OPTIONAL |= {"joining", "special", "refill", "length_penalty", "early_stopping"}  # nor of these


def test_every_missing_key_is_named(bundle: Bundle) -> None:
    path = bundle.path / "manifest.json"
    original = json.loads(path.read_text())
    required = [keys for keys in paths(original) if keys[-1] not in OPTIONAL]
    for keys in required:
        document = json.loads(json.dumps(original))
        del follow(document, keys[:-1])[keys[-1]]
        path.write_text(json.dumps(document))
        refuses(bundle, f"the key '{keys[-1]}' is missing")
    assert len(required) > 50


WRONG_VALUES: list[object] = [None, 1.5, "", [None], {"a": {}}, True]


def test_every_wrong_type_is_refused(bundle: Bundle) -> None:
    path = bundle.path / "manifest.json"
    original = json.loads(path.read_text())
    for keys in paths(original):
        if keys[0] == "provenance" and len(keys) > 1:
            continue  # free JSON values
        for wrong in WRONG_VALUES:
            parent = follow(document := json.loads(json.dumps(original)), keys[:-1])
            if type(parent[keys[-1]]) is type(wrong) or (keys[-1], wrong) == ("unk", None):
                continue
            parent[keys[-1]] = wrong
            path.write_text(json.dumps(document))
            with pytest.raises(BundleError):
                open_bundle(bundle.path)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("decoding", "eos"), 8, "eos is 8, it must be from 0 to 7"),
        (("decoding", "unk"), -1, "unk is -1"),
        (("decoding", "max_length"), 0, "max_length is 0, it must be at least 1"),
        (("decoding", "beam"), True, "beam must be an integer, it is True"),
        (("decoding", "suppress_unk"), 0, "suppress_unk must be true or false"),
        (("signature", "token"), "word", "the schema fixes it to 'token'"),
        (("signature", "states", 0, "next"), "h2", "the schema fixes it to 'h_next'"),
        (("signature", "states", 0, "dtype"), "float16", "dtype is 'float16'"),
        (("signature", "states", 0, "update"), "added", "update is 'added'"),
        (("signature", "states", 0, "update"), "counted", "a counted state must be int32"),
        (("signature", "states", 0, "shape", 0), "rows", "its first axis must be 'beams'"),
        (("signature", "states", 3, "rows"), 4, "does not hold steps of 4 rows"),
        (("signature", "states", 2, "update"), "replaced", "the key 'next' is missing"),
        (("signature", "states", 2, "shape"), ["beams", 1], "a counted state must be int32"),
        (("signature", "states", 0, "start"), "values", "called 'values'"),
        (("signature", "inputs", 0, "shape", 1), 0, "a dimension is 0"),
        (("signature", "inputs", 0, "shape", 0), "", "a dimension is ''"),
        (("signature", "inputs", 0, "shape", 1), True, "a dimension is True"),
        (("signature", "inputs", 1, "name"), "att", "two tensors of one graph are called 'att'"),
        (("signature", "memory", 0, "name"), "token", "called 'token'"),
        (("runtimes", "litert", "encoder"), "encoder.onnx", "fixes it to 'encoder.tflite'"),
        (("runtimes", "tvm"), {}, "there is no runtime 'tvm'"),
        (("vocabulary", "size"), 9, "size is 9, the model has 8 tokens"),
        (("vocabulary", "pieces"), 9, "9 pieces for 8 tokens"),
        (("vocabulary", "radix"), {"base": 4, "digits": 2}, "base 4 does not make 8 tokens"),
        (("vocabulary", "file"), "../words", "the schema fixes it to 'vocabulary.json'"),
        (("schema",), 0, "schema is 0"),
    ],
)
def test_wrong_value(
    path: tuple[str | int, ...], value: object, message: str, bundle: Bundle
) -> None:
    def change(document: Document) -> None:
        follow(document, path[:-1])[path[-1]] = value

    rewrite(bundle, change)
    refuses(bundle, message)


@pytest.mark.parametrize(
    ("text", "message"),
    [(b'{"a": 1}', "no array of strings"), (b'["a", 1]', "no array of strings"), (b"[", "JSON")],
)
def test_damaged_vocabulary(text: bytes, message: str, bundle: Bundle) -> None:
    def forge(document: Document) -> None:
        entry = next(file for file in document["files"] if file["name"] == "vocabulary.json")
        entry.update(bytes=len(text), sha256=hashlib.sha256(text).hexdigest())

    (bundle.path / "vocabulary.json").write_bytes(text)
    rewrite(bundle, forge)
    refuses(bundle, message)


def test_path_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="does not exist"):
        open_bundle(tmp_path / "nothing")


def test_path_that_is_no_folder(bundle: Bundle) -> None:
    with pytest.raises(BundleError, match="is not a folder"):
        open_bundle(bundle.path / "manifest.json")


def test_folder_without_a_manifest(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"it has no manifest\.json"):
        open_bundle(tmp_path)


def test_folder_in_place_of_a_file(bundle: Bundle) -> None:
    (bundle.path / "card.md").unlink()
    (bundle.path / "card.md").mkdir()
    refuses(bundle, r"card\.md is no plain file")


def test_vocabulary_that_is_shorter_than_promised(bundle: Bundle) -> None:
    def promise_nine(document: Document) -> None:
        document["signature"]["vocabulary_size"] = document["vocabulary"]["size"] = 9
        document["vocabulary"]["pieces"] = 9

    rewrite(bundle, promise_nine)
    refuses(bundle, "has 8 pieces, the manifest says 9")


@pytest.mark.parametrize("tokens", [7, 9])
def test_vocabulary_that_does_not_cover_the_tokens(tokens: int, bundle: Bundle) -> None:
    """A word beyond the pieces would be an IndexError, and only in the caption that has it."""
    rewrite(bundle, lambda d: d["signature"].update(vocabulary_size=tokens))
    refuses(bundle, f"size is 8, the model has {tokens} tokens")
