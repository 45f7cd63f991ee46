"""sentencepiece's word.vocab (one "piece<TAB>score" a line, in id order) into a Vocabulary."""

from collections.abc import Mapping
from typing import Any

from capexport.errors import CheckpointError
from capexport.spec.vocabulary import Radix, Vocabulary

UNKNOWN = "<unk>"
SPARE_ROWS = 1
"""Trainer versions before 0.3 embed one row more than there are words, and their continuations
(SCST runs) carry it on; the trainer prints an id beyond the words as <unk>."""


def read_vocabulary(data: bytes, config: Mapping[str, Any], where: str) -> Vocabulary:
    """As many pieces as the configuration says.

    Raises:
        CheckpointError: the file is damaged or of another size.
    """
    pieces, rows = _pieces(data, where), config["vocab_size"]
    if not 0 <= rows - len(pieces) <= SPARE_ROWS:
        raise CheckpointError(
            f"the vocabulary has {len(pieces)} words, the configuration says vocab_size {rows}",
            where=where,
            hint="take tokenizer/ and config.json from the same training run",
        )
    return Vocabulary((*pieces, *[UNKNOWN] * (rows - len(pieces))))


def read_radix_vocabulary(data: bytes, config: Mapping[str, Any], where: str) -> Vocabulary:
    """The pieces, and how several tokens make the number of one (see `Radix`).

    A word has as many digits as the trainer needs for all pieces but three.

    Raises:
        CheckpointError: the file is damaged, or the token ids belong to another base or file.
    """
    pieces, base = _pieces(data, where), config.get("radix_base")
    if isinstance(base, int) and base > 1 and len(pieces) > Radix.CONTROL_PIECES:
        unknown = _tokens(len(pieces) - Radix.CONTROL_PIECES, base)
        ids = [config[f"{token}_token_id"] for token in ("pad", "bos", "eos")]
        found = [config["vocab_size"], *ids, config.get("unk_token_id")]
        if found == [base + Radix.TOKENS_BESIDE_DIGITS, 0, base + 1, base + 2, unknown]:
            return Vocabulary(tuple(pieces), Radix(base, len(unknown)))
    raise CheckpointError(
        f"the token ids are not those of {len(pieces)} pieces in base {str(base)[:40]}",
        where=where,
        hint="take tokenizer/ and config.json from the same training run",
    )


def _tokens(number: int, base: int) -> list[int]:
    """The tokens of the largest number there is, that of the unknown word."""
    tokens: list[int] = []
    length = number + 1
    while length:
        tokens.insert(0, number % base + 1)
        number, length = number // base, length // base
    return tokens


def _pieces(data: bytes, where: str) -> list[str]:
    return [_piece(line, f"{where}, line {n}") for n, line in enumerate(_lines(data, where), 1)]


def _lines(data: bytes, where: str) -> list[str]:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CheckpointError(
            f"the vocabulary is not UTF-8: {error.reason}", where=where, hint="fetch the file again"
        ) from error
    # not splitlines(): a piece may be a Unicode line separator
    return text.removesuffix("\n").split("\n")


def _piece(line: str, where: str) -> str:
    piece, tab, score = line.removesuffix("\r").rpartition("\t")
    if not piece or not tab or not _is_number(score):
        raise CheckpointError(
            "a vocabulary line is not a piece, a tab and a score",
            where=where,
            hint="use the word.vocab that sentencepiece wrote, not the binary word.model",
        )
    return piece


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
