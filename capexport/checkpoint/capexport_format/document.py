"""config.json of capexport's own checkpoint into the values it holds, and back."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from capexport.checkpoint.capexport_format.layout import FORMAT, VERSION, WITH_IMAGE
from capexport.checkpoint.limits import LONGEST_CAPTION, LONGEST_SIDE
from capexport.errors import CheckpointError, UnsupportedError
from capexport.spec.decoding import Decoding
from capexport.spec.image import FILTERS, ImageSpec
from capexport.spec.vocabulary import Radix, Vocabulary

HINT = "capexport/checkpoint/capexport_format/README.md says what the file holds"


@dataclass(frozen=True)
class Document:
    """What config.json says.

    Args:
        architecture: name in the table of captioners.
        config: the numbers the architecture is rebuilt from, named as its lineage names them.
        vocabulary: without its pieces, which have a file of their own.
        decoding: token ids, length limit and beam.
        image_encoder: what the captioner's features come from, or None when not recorded; where
            `image` is given, the name of the encoder whose weights the checkpoint holds.
        image: how a picture becomes the input of the checkpoint's own image encoder.
    """

    architecture: str
    config: Mapping[str, Any]
    vocabulary: Vocabulary
    decoding: Decoding
    image_encoder: str | None
    image: ImageSpec | None = None


def document_text(document: Document) -> bytes:
    """The file, keys sorted, UTF-8."""
    radix = document.vocabulary.radix
    values = {
        "format": FORMAT,
        "version": VERSION,
        "architecture": document.architecture,
        "config": dict(document.config),
        "continuation": document.vocabulary.continuation,
        "radix": None if radix is None else {"base": radix.base, "digits": radix.digits},
        "decoding": asdict(document.decoding),
        "image_encoder": document.image_encoder,
        "image": None if document.image is None else asdict(document.image),
    }
    return json_text(values)


def json_text(value: object) -> bytes:
    """Indented JSON, keys sorted, that is read again as the same value."""
    text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode("utf-8")


def read_document(text: bytes, where: str) -> Document:
    """The values of config.json.

    Raises:
        CheckpointError: it is damaged or not of this format.
        UnsupportedError: its version is newer than this code.
    """
    values = read_json(text, dict, where)
    if values.get("format") != FORMAT:
        raise CheckpointError(f"the format is not {FORMAT!r}", where=where, hint=HINT)
    version = _value(values, "version", int, where)
    if version > VERSION:
        raise UnsupportedError(
            f"the checkpoint has version {version}, this capexport reads up to {VERSION}",
            where=where,
            hint="update capexport",
        )
    radix = _value(values, "radix", dict | None, where)
    return Document(
        architecture=_value(values, "architecture", str, where),
        config=_value(values, "config", dict, where),
        vocabulary=Vocabulary(
            (),
            None if radix is None else _radix(radix, where),
            _value(values, "continuation", str, where),
        ),
        decoding=_decoding(_value(values, "decoding", dict, where), where),
        image_encoder=_value(values, "image_encoder", str | None, where),
        image=_image(values, where) if version >= WITH_IMAGE else None,
    )


def read_json(text: bytes, kind: type, where: str) -> Any:
    """A JSON value of type `kind`; CheckpointError otherwise."""
    try:
        value = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"this is not JSON: {error}", where=where, hint=HINT) from error
    if not isinstance(value, kind):
        raise CheckpointError(f"this is no JSON {kind.__name__}", where=where, hint=HINT)
    return value


def _value(values: Mapping[str, Any], key: str, kind: Any, where: str) -> Any:
    """values[key], of type `kind`; a bool is no int."""
    value = values.get(key)
    is_bool = isinstance(value, bool)
    if key not in values or not isinstance(value, kind) or is_bool != (kind is bool):
        found = "missing" if key not in values else f"{str(value)[:40]!r}"
        raise CheckpointError(f"{key} is {found}", where=where, hint=HINT)
    return value


def _radix(values: Mapping[str, Any], where: str) -> Radix:
    radix = Radix(_value(values, "base", int, where), _value(values, "digits", int, where))
    if radix.base < 2 or radix.digits < 1:
        raise CheckpointError(f"radix {radix} makes no words", where=where, hint=HINT)
    return radix


def _image(values: Mapping[str, Any], where: str) -> ImageSpec | None:
    image = _value(values, "image", dict | None, where)
    if image is None:
        return None
    kinds: dict[str, Any] = {"short_side": int | None, "filter": str}
    given = {
        f.name: _value(image, f.name, kinds.get(f.name, int), where) for f in fields(ImageSpec)
    }
    impossible = CheckpointError(f"the image rule is impossible: {given}", where=where, hint=HINT)
    if given["filter"] not in FILTERS or max(given["height"], given["width"]) > LONGEST_SIDE:
        raise impossible
    try:
        return ImageSpec(**given)
    except ValueError as error:
        raise impossible from error


def _decoding(values: Mapping[str, Any], where: str) -> Decoding:
    kinds: dict[str, Any] = {
        "unk": int | None,
        "suppress_unk": bool,
        "refill": bool,
        "length_penalty": float,
        "early_stopping": bool,
    }
    given = {
        f.name: _value(values, f.name, kinds.get(f.name, int), where) for f in fields(Decoding)
    }
    impossible = CheckpointError(
        f"the decoding rule is impossible: {given}", where=where, hint=HINT
    )
    numbers = [given[key] for key in ("bos", "eos", "pad", "unk") if given[key] is not None]
    if min(numbers) < 0 or given["beam"] < 1 or not 1 <= given["max_length"] <= LONGEST_CAPTION:
        raise impossible
    try:
        return Decoding(**given)
    except ValueError as error:
        raise impossible from error
