"""sentencepiece's word.vocab (one "piece<TAB>score" a line, in id order) into a Vocabulary."""

from capexport.errors import CheckpointError
from capexport.spec.vocabulary import Vocabulary

UNKNOWN = "<unk>"
SPARE_ROWS = 1
"""Trainer versions before 0.3 embed one row more than there are words, and their continuations
(SCST runs) carry it on; the trainer prints an id beyond the words as <unk>."""


def read_vocabulary(data: bytes, rows: int, where: str) -> Vocabulary:
    """Exactly `rows` pieces. CheckpointError when the file is damaged or of another size."""
    pieces = [_piece(line, f"{where}, line {n}") for n, line in enumerate(_lines(data, where), 1)]
    if not 0 <= rows - len(pieces) <= SPARE_ROWS:
        raise CheckpointError(
            f"the vocabulary has {len(pieces)} words, the configuration says vocab_size {rows}",
            where=where,
            hint="take tokenizer/ and config.json from the same training run",
        )
    return Vocabulary((*pieces, *[UNKNOWN] * (rows - len(pieces))))


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
