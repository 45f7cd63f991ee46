"""Manifest <-> the text of manifest.json, and vocabulary <-> the text of vocabulary.json."""

import hashlib
import json
from typing import Any

from capexport.bundle.fields import Fields
from capexport.bundle.image_fields import image_fields, read_image
from capexport.bundle.layout import GRAPH_SUFFIXES, GRAPHS, MANIFEST, VOCABULARY, graph_file
from capexport.bundle.manifest import SCHEMA, BundleFile, Manifest
from capexport.bundle.signature_fields import (
    decoding_fields,
    read_decoding,
    read_signature,
    signature_fields,
)
from capexport.errors import BundleError
from capexport.spec.vocabulary import BYTE_OF, BYTES, JOININGS, WORDS, Joining, Radix, Vocabulary

CHECKSUM = "checksum"


def manifest_text(manifest: Manifest) -> bytes:
    """manifest.json: keys sorted, ends in a line feed, the same bytes for the same manifest."""
    fields = {
        "schema": SCHEMA,
        "architecture": manifest.architecture,
        "lineage": manifest.lineage,
        "signature": signature_fields(manifest.signature),
        "vocabulary": _vocabulary_fields(manifest.vocabulary),
        "decoding": decoding_fields(manifest.decoding),
        "recipe": dict(manifest.recipe),
        "weights": manifest.weights,
        "runtimes": {name: _runtime_fields(manifest, name) for name in manifest.runtimes},
        "provenance": dict(manifest.provenance),
        **image_fields(manifest.image),
        "files": [
            {"name": file.name, "bytes": file.bytes, "sha256": file.sha256}
            for file in manifest.files
        ],
    }
    return _pretty({**fields, CHECKSUM: checksum(fields)})


def _vocabulary_fields(vocabulary: Vocabulary) -> dict[str, Any]:
    """`size` counts tokens, `pieces` the entries of the file; `radix` only where words have it."""
    fields: dict[str, Any] = {
        "file": VOCABULARY,
        "size": len(vocabulary),
        "pieces": len(vocabulary.pieces),
        "continuation": vocabulary.continuation,
        "joining": vocabulary.joining,
        "special": list(vocabulary.special),
    }
    if vocabulary.radix is not None:
        fields["radix"] = {"base": vocabulary.radix.base, "digits": vocabulary.radix.digits}
    return fields


def _runtime_fields(manifest: Manifest, runtime: str) -> dict[str, str]:
    fields = {graph: graph_file(runtime, graph) for graph in GRAPHS}
    if runtime in manifest.minimum_runtime:
        fields["minimum_version"] = manifest.minimum_runtime[runtime]
    return fields


def checksum(fields: dict[str, Any]) -> str:
    """sha256 of the fields without the checksum itself, as compact ASCII JSON with sorted keys."""
    rest = {key: value for key, value in fields.items() if key != CHECKSUM}
    compact = json.dumps(rest, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(compact.encode("ascii")).hexdigest()


def _pretty(value: object) -> bytes:
    text = json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode("utf-8")


def read_manifest(text: bytes, where: str) -> tuple[Manifest, int]:
    """The manifest with a vocabulary that has no pieces yet, and how many its file must hold.

    Args:
        text: contents of manifest.json.
        where: path of the bundle, for errors.

    Raises:
        BundleError: damaged JSON, a newer schema, a missing key, a wrong type or value, or a
            checksum that does not match.
    """
    fields = Fields(_parse(text, f"{where}/{MANIFEST}"), f"{where}/{MANIFEST}")
    _check_schema(fields)
    files = tuple(
        BundleFile(file.text("name"), file.integer("bytes", 0), file.text("sha256"))
        for file in fields.children("files")
    )
    recipe = fields.child("recipe")
    signature = read_signature(fields.child("signature"))
    vocabulary, pieces = _read_vocabulary(fields.child("vocabulary"), signature.vocabulary_size)
    manifest = Manifest(
        architecture=fields.text("architecture"),
        lineage=fields.text("lineage"),
        signature=signature,
        vocabulary=vocabulary,
        decoding=read_decoding(fields.child("decoding"), signature.vocabulary_size),
        recipe={graph: recipe.text(graph) for graph in ("encoder", "decoder")},
        weights=fields.text("weights"),
        runtimes=tuple(sorted(fields.child("runtimes").raw())),
        minimum_runtime=_read_runtimes(fields),
        provenance=dict(fields.child("provenance").raw()),
        image=read_image(fields, signature),
        files=files,
    )
    _check_checksum(fields)
    return manifest, pieces


def _read_vocabulary(fields: Fields, tokens: int) -> tuple[Vocabulary, int]:
    """The vocabulary without its pieces, and their number."""
    fields.expect("file", VOCABULARY)
    size = fields.integer("size", 1)
    if size != tokens:
        fields.fail(f"size is {size}, the model has {tokens} tokens")
    radix = None
    if "radix" in fields.raw():
        given = fields.child("radix")
        radix = Radix(given.integer("base", 2), given.integer("digits", 1))
        if len(Vocabulary((), radix)) != tokens:
            given.fail(f"base {radix.base} does not make {tokens} tokens")
    pieces = fields.integer("pieces", 1) if "pieces" in fields.raw() else size  # schema 1: as many
    if radix is None and pieces != size:
        fields.fail(f"{pieces} pieces for {size} tokens")
    continuation = fields.optional_text("continuation") or ""
    joining, special = _read_joining(fields), _read_special(fields, pieces)
    return Vocabulary((), radix, continuation, joining, special), pieces


def _read_joining(fields: Fields) -> Joining:
    """Schema 1 knew words only."""
    name = fields.optional_text("joining") or WORDS
    for known in JOININGS:
        if name == known:
            return known
    fields.fail(f"joining is {name!r}, it must be one of {', '.join(JOININGS)}")


def _read_special(fields: Fields, pieces: int) -> tuple[int, ...]:
    ids = fields.array("special") if "special" in fields.raw() else []
    for number in ids:
        if type(number) is not int or not 0 <= number < pieces:
            fields.fail(f"special names {number!r:.40}, which is no piece")
    return tuple(ids)


def _parse(text: bytes, where: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_distinct)
    except (ValueError, RecursionError) as error:
        raise BundleError(
            f"the file is no valid JSON: {error}", where=where, hint="export the bundle again"
        ) from error


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("an object has the same key twice")
    return fields


def _check_schema(fields: Fields) -> None:
    schema = fields.integer("schema", 1)
    if schema <= SCHEMA:
        return
    provenance = fields.raw().get("provenance")
    writer = provenance.get("capexport") if isinstance(provenance, dict) else None
    release = f"capexport {writer}" if isinstance(writer, str) else "a newer capexport"
    raise BundleError(
        f"the bundle has schema {schema}, this capexport reads schemas up to {SCHEMA}",
        where=fields.where,
        hint=f"install {release} or later, which reads schema {schema}",
    )


def _read_runtimes(fields: Fields) -> dict[str, str]:
    """Minimum versions by runtime; the graph files must be the ones that the layout fixes."""
    minimum = {}
    for runtime, entry in fields.named_children("runtimes").items():
        if runtime not in GRAPH_SUFFIXES:
            entry.fail(f"there is no runtime {runtime!r}, only {', '.join(GRAPH_SUFFIXES)}")
        for graph in GRAPHS:
            entry.expect(graph, graph_file(runtime, graph))
        if (version := entry.optional_text("minimum_version")) is not None:
            minimum[runtime] = version
    return minimum


def _check_checksum(fields: Fields) -> None:
    try:
        expected = checksum(dict(fields.raw()))
    except RecursionError as error:
        raise BundleError(
            "the JSON is nested too deeply", where=fields.where, hint="export the bundle again"
        ) from error
    if fields.text(CHECKSUM) != expected:
        fields.fail("the checksum does not match: the manifest was changed after it was written")


def vocabulary_text(vocabulary: Vocabulary) -> bytes:
    """vocabulary.json: an array of pieces in id order, one a line."""
    return (json.dumps(vocabulary.pieces, indent=0, ensure_ascii=False) + "\n").encode("utf-8")


def read_pieces(text: bytes, size: int, where: str, joining: Joining = WORDS) -> tuple[str, ...]:
    """The pieces; BundleError unless the text is an array of `size` strings that can be joined."""
    pieces = _parse(text, where)
    if not isinstance(pieces, list) or not all(isinstance(piece, str) for piece in pieces):
        what = "the vocabulary is no array of strings"
    elif len(pieces) != size:
        what = f"the vocabulary has {len(pieces)} pieces, the manifest says {size}"
    elif joining == BYTES and not BYTE_OF.keys() >= set("".join(pieces)):
        what = "a piece has a character that stands for no byte"
    else:
        return tuple(pieces)
    raise BundleError(what, where=where, hint="export the bundle again")
