"""tokenizer.json, vocab.txt (WordPiece) or vocab.json (byte-level BPE) into a Vocabulary."""

from collections.abc import Mapping
from typing import Any

from capexport.checkpoint.hugging_face.config import read_json
from capexport.checkpoint.source import Source
from capexport.errors import CheckpointError, UnsupportedError
from capexport.spec.vocabulary import BYTE_OF, BYTES, INNER, WORDPIECE, Joining, Vocabulary

TOKENIZER = "tokenizer.json"
WORDPIECE_FILE = "vocab.txt"
BPE_FILE = "vocab.json"
SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<|endoftext|>")
"""What BERT's and GPT-2's tokenizers hide where only a plain vocabulary file tells of them."""
_CHARACTER_OF = {byte: character for character, byte in BYTE_OF.items()}


def read_vocabulary(source: Source, rows: int) -> Vocabulary:
    """One piece per row of the word embedding; rows without one are hidden.

    Raises:
        CheckpointError: no tokenizer file, a damaged one, or more pieces than rows.
        UnsupportedError: a tokenizer of another kind.
    """
    if source.size(TOKENIZER) is not None:
        where = source.where(TOKENIZER)
        return _from_tokenizer(read_json(source.read(TOKENIZER), where), rows, where)
    if source.size(BPE_FILE) is not None:
        where = source.where(BPE_FILE)
        return _vocabulary(read_json(source.read(BPE_FILE), where), {}, BYTES, rows, where)
    if source.size(WORDPIECE_FILE) is not None:
        where = source.where(WORDPIECE_FILE)
        lines = _lines(source.read(WORDPIECE_FILE), where)
        ids = {piece: number for number, piece in enumerate(lines)}
        return _vocabulary(ids, {}, WORDPIECE, rows, where)
    raise CheckpointError(
        f"there is no {TOKENIZER}, {BPE_FILE} or {WORDPIECE_FILE}",
        where=str(source.path),
        hint="save the model's tokenizer into the same folder",
    )


def _from_tokenizer(tokenizer: Mapping[str, Any], rows: int, where: str) -> Vocabulary:
    decoder = tokenizer.get("decoder")
    joining = _joining(decoder) if isinstance(decoder, dict) else None
    if joining is None:
        raise UnsupportedError(
            f"the tokenizer decodes by {str(decoder)[:80]}",
            where=where,
            hint="supported: WordPiece with prefix ## and cleanup, ByteLevel",
        )
    model = tokenizer.get("model")
    ids = model.get("vocab") if isinstance(model, dict) else None
    added = tokenizer.get("added_tokens", [])
    if not isinstance(ids, dict) or not isinstance(added, list):
        raise _damaged("it has no vocabulary", where)
    special = {}
    for token in added:
        if not isinstance(token, dict) or not isinstance(token.get("content"), str):
            raise _damaged("an added token has no content", where)
        special[token["content"]] = (token.get("id"), token.get("special") is True)
    return _vocabulary(ids, special, joining, rows, where)


def _joining(decoder: Mapping[str, Any]) -> Joining | None:
    if decoder.get("type") == "ByteLevel":
        return BYTES
    expected = {"type": "WordPiece", "prefix": INNER, "cleanup": True}
    known = all(decoder.get(key, value) == value for key, value in expected.items())
    return WORDPIECE if known else None


def _vocabulary(
    ids: Mapping[str, Any],
    added: Mapping[str, tuple[Any, bool]],
    joining: Joining,
    rows: int,
    where: str,
) -> Vocabulary:
    """Pieces by id; `added` tokens with whether they are special, and stored as plain text."""
    pieces: list[str | None] = [None] * rows
    special = set()
    for piece, number in ids.items():
        _place(pieces, piece, number, where)
        if piece in SPECIAL_TOKENS and not added:
            special.add(number)
    for text, (number, hidden) in added.items():
        piece = text if joining != BYTES else _as_bytes(text, where)
        _place(pieces, piece, number, where)
        if hidden:
            special.add(number)
    unnamed = {number for number, piece in enumerate(pieces) if piece is None}
    named = tuple(piece or "" for piece in pieces)
    if joining == BYTES and not BYTE_OF.keys() >= set("".join(named)):
        raise _damaged("a piece has characters that stand for no byte", where)
    return Vocabulary(named, joining=joining, special=tuple(sorted(special | unnamed)))


def _place(pieces: list[str | None], piece: str, number: object, where: str) -> None:
    if type(number) is not int or not 0 <= number < len(pieces):
        raise CheckpointError(
            f"the piece {piece[:40]!r} has the id {str(number)[:40]}, "
            f"the model has {len(pieces)} rows",
            where=where,
            hint="take the tokenizer and the weights from the same folder",
        )
    pieces[number] = piece


def _as_bytes(text: str, where: str) -> str:
    """An added token is plain text beside pieces that are spelled in bytes."""
    if BYTE_OF.keys() >= set(text):
        return text
    try:
        return "".join(_CHARACTER_OF[byte] for byte in text.encode("utf-8"))
    except UnicodeEncodeError as error:
        raise _damaged("a token is half a character", where) from error


def _lines(data: bytes, where: str) -> list[str]:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _damaged(f"it is not UTF-8: {error.reason}", where) from error
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]


def _damaged(what: str, where: str) -> CheckpointError:
    return CheckpointError(
        f"the tokenizer is damaged: {what}", where=where, hint="fetch the file again"
    )
