"""Token ids to text."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import ClassVar, Literal

from capexport.spec.decoding import Decoding

WORD_START = "\u2581"
"""sentencepiece's mark of a word start; a word model puts it before every word."""

Joining = Literal["words", "wordpiece", "bytes"]
"""How pieces become text; see `Vocabulary`."""
WORDS: Joining = "words"
WORDPIECE: Joining = "wordpiece"
BYTES: Joining = "bytes"
JOININGS = (WORDS, WORDPIECE, BYTES)

INNER = "##"
"""WordPiece's mark of a piece that goes on inside a word."""
CLITICS = (".", "?", "!", ",", "n't", "'m", "'s", "'ve", "'re")
"""Starts of pieces that WordPiece's decoder joins to the word before (its `cleanup`)."""


@dataclass(frozen=True)
class Radix:
    """A word as several tokens: its number in base `base`, most significant digit first.

    Token d + 1 stands for digit d. Numbers count from the first word that is no control piece
    (ACORT, Tan, Chan and Chuah 2022).

    Args:
        base: digits; the tokens after them are begin and end.
        digits: tokens of a word.
    """

    base: int
    digits: int

    CONTROL_PIECES: ClassVar = 4
    UNK_PIECE: ClassVar = 1
    TOKENS_BESIDE_DIGITS: ClassVar = 3

    def words(self, tokens: list[int], pieces: int) -> Iterator[int]:
        """Ids of pieces, below `pieces`; an incomplete last word is filled with the digit 0."""
        tokens = tokens + [1] * (-len(tokens) % self.digits)
        for first in range(0, len(tokens), self.digits):
            number = 0
            for token in tokens[first : first + self.digits]:
                number = number * self.base + max(token - 1, 0)
            word = number + self.CONTROL_PIECES
            yield word if word < pieces else self.UNK_PIECE


@dataclass(frozen=True)
class Vocabulary:
    """What the tokens of a caption stand for.

    Args:
        pieces: words in id order, exactly as the trainer wrote them (control pieces included).
        radix: how several tokens make one word; None where each token is one.
        continuation: a piece that ends so is joined to the next without a blank.
        joining: WORDS: blanks in between. WORDPIECE (BERT): blanks, but none before a piece that
            starts with INNER, which is cut off, or with one of CLITICS. BYTES (GPT-2): each
            character of a piece stands for a byte, and the bytes are UTF-8.
        special: ids that are never shown, beside `pad` and `bos`.
    """

    pieces: tuple[str, ...]
    radix: Radix | None = None
    continuation: str = ""
    joining: Joining = WORDS
    special: tuple[int, ...] = ()

    def __len__(self) -> int:
        """Number of tokens: the width of the decoder's log-probabilities."""
        if self.radix is not None:
            return self.radix.base + Radix.TOKENS_BESIDE_DIGITS
        return len(self.pieces)

    def text(self, ids: Iterable[int], decoding: Decoding) -> str:
        """Caption of `ids`: cut at the end token, control pieces dropped, `<unk>` kept visible."""
        tokens = list(takewhile(lambda token: token != decoding.eos, ids))
        if self.radix is not None:
            words = list(self.radix.words(tokens, len(self.pieces)))
        else:
            hidden = {decoding.pad, decoding.bos, *self.special}
            words = [token for token in tokens if token not in hidden]
        return self._joined([self.pieces[word] for word in words])

    def _joined(self, pieces: list[str]) -> str:
        if self.joining == WORDPIECE:
            return _wordpiece_text(pieces)
        if self.joining == BYTES:
            return _byte_text(pieces)
        text = " ".join(piece.removeprefix(WORD_START) for piece in pieces)
        return text.replace(self.continuation + " ", "") if self.continuation else text


def _wordpiece_text(pieces: list[str]) -> str:
    """As `decoders.WordPiece(prefix="##", cleanup=True)` of the tokenizers library."""
    text = "".join(pieces[:1])
    for piece in pieces[1:]:
        if piece.startswith(INNER):
            text += piece.removeprefix(INNER)
        else:
            text += piece if piece.startswith(CLITICS) else " " + piece
    return text


def _byte_text(pieces: list[str]) -> str:
    """UTF-8 of the bytes, U+FFFD for what is none, blanks at both ends cut off."""
    raw = bytes(BYTE_OF[character] for character in "".join(pieces))
    return raw.decode("utf-8", errors="replace").strip()


def _byte_alphabet() -> dict[str, int]:
    """GPT-2's printable stand-ins of the 256 bytes (Radford et al. 2019, `bytes_to_unicode`).

    Printable Latin-1 stands for itself; the other bytes, in order, for U+0100 and on.
    """
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {
        chr(0x100 + i): byte for i, byte in enumerate(others)
    }


BYTE_OF = _byte_alphabet()
"""Byte that a character of a BYTES piece stands for."""
