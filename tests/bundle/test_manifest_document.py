"""The text of manifest.json holds all that a phone app needs and loses nothing."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capexport.bundle import SCHEMA, Manifest
from capexport.bundle.document import (
    checksum,
    manifest_text,
    read_manifest,
    read_pieces,
    vocabulary_text,
)
from capexport.errors import BundleError
from capexport.spec.signature import BEAMS, StateSpec
from capexport.spec.vocabulary import Radix, Vocabulary


def test_round_trip(manifest: Manifest) -> None:
    read, size = read_manifest(manifest_text(manifest), "here")
    assert replace(read, vocabulary=manifest.vocabulary) == manifest
    assert size == len(manifest.vocabulary)


def test_decoding_without_an_unknown_word(manifest: Manifest) -> None:
    without = replace(manifest, decoding=replace(manifest.decoding, unk=None, suppress_unk=True))
    assert read_manifest(manifest_text(without), "here")[0].decoding == without.decoding


def test_a_refilling_search(manifest: Manifest) -> None:
    rule = replace(manifest.decoding, refill=True, length_penalty=0.5, early_stopping=True)
    text = manifest_text(replace(manifest, decoding=rule))
    assert read_manifest(text, "here")[0].decoding == rule


@pytest.mark.parametrize(
    ("part", "changes", "message"),
    [
        ("decoding", {"length_penalty": 1.0}, "need refill"),
        ("decoding", {"length_penalty": "1"}, "length_penalty must be a number"),
        ("decoding", {"length_penalty": True}, "length_penalty must be a number"),
        ("decoding", {"early_stopping": 1}, "early_stopping must be true or false"),
        ("vocabulary", {"joining": "letters"}, "joining is 'letters'"),
        ("vocabulary", {"special": [8]}, "special names 8, which is no piece"),
        ("vocabulary", {"special": ["8"]}, "special names '8', which is no piece"),
    ],
)
def test_a_rule_of_captions_that_is_wrong(
    part: str, changes: dict[str, object], message: str, manifest: Manifest
) -> None:
    document = json.loads(manifest_text(manifest))
    document[part] |= changes
    with pytest.raises(BundleError, match=message):
        read_manifest(json.dumps(document).encode(), "here")


def test_pieces_of_bytes_have_only_characters_that_stand_for_one() -> None:
    text = json.dumps(["a", "\u0120b"]).encode()
    assert read_pieces(text, 2, "here", "bytes") == ("a", "\u0120b")
    with pytest.raises(BundleError, match="stands for no byte"):
        read_pieces(json.dumps(["a", " b"]).encode(), 2, "here", "bytes")


def test_radix_words(manifest: Manifest) -> None:
    words = Vocabulary(("",) * 30, Radix(base=5, digits=2), continuation="@@")
    with_radix = replace(manifest, vocabulary=words)
    read, pieces = read_manifest(manifest_text(with_radix), "here")
    assert read.vocabulary == replace(words, pieces=())
    assert pieces == 30


def test_a_manifest_of_schema_1_is_read(manifest: Manifest) -> None:
    document = json.loads(manifest_text(manifest))
    document["schema"] = 1
    document["vocabulary"] = {"file": "vocabulary.json", "size": 8}
    document["signature"]["states"] = [
        {"name": "h", "next": "h_next", "shape": ["beams", 4], "dtype": "float32"}
    ]
    text = json.dumps({**document, "checksum": checksum(document)}).encode()
    assert read_manifest(text, "here")[0].signature.states == (StateSpec("h", (BEAMS, 4)),)


def test_the_document_is_complete_for_an_app(manifest: Manifest) -> None:
    document = json.loads(manifest_text(manifest))
    assert document["schema"] == SCHEMA
    assert document["signature"]["states"][0] == {
        "name": "h",
        "next": "h_next",
        "shape": ["beams", 4],
        "dtype": "float32",
        "start": "h_start",
        "update": "replaced",
    }
    assert "next" not in document["signature"]["states"][2]  # the host counts
    assert document["signature"]["states"][3]["rows"] == 2
    assert document["signature"]["inputs"][0]["shape"] == ["regions", 6]
    assert document["signature"]["memory"][0]["name"] == "values"
    assert document["signature"]["token"] == "token"
    assert document["signature"]["log_probs"] == "log_probs"
    assert document["vocabulary"] == {
        "file": "vocabulary.json",
        "size": 8,
        "pieces": 8,
        "continuation": "",
        "joining": "words",
        "special": [],
    }
    assert document["runtimes"]["litert"] == {
        "encoder": "encoder.tflite",
        "decoder_step": "decoder_step.tflite",
        "minimum_version": "2.1",
    }
    assert document["decoding"]["eos"] == manifest.decoding.eos


def test_keys_are_sorted_and_words_are_readable(manifest: Manifest) -> None:
    text = manifest_text(manifest).decode("utf-8")
    assert list(json.loads(text)) == sorted(json.loads(text))
    assert "▁Größe" in vocabulary_text(manifest.vocabulary).decode("utf-8")


def test_added_keys_are_ignored_when_the_checksum_covers_them(manifest: Manifest) -> None:
    document = {**json.loads(manifest_text(manifest)), "new_key": [1]}
    text = json.dumps({**document, "checksum": checksum(document)}).encode()
    assert read_manifest(text, "here")[0] == replace(manifest, vocabulary=Vocabulary(()))


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_any_vocabulary_survives(pieces: list[str]) -> None:
    vocabulary = Vocabulary(tuple(pieces))
    assert read_pieces(vocabulary_text(vocabulary), len(pieces), "here") == vocabulary.pieces
