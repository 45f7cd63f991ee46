"""Token ids to text."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import ClassVar

from capexport.spec.decoding import Decoding

WORD_START = "\u2581"
"""sentencepiece's mark of a word start; a word model puts it before every word."""


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
    """

    pieces: tuple[str, ...]
    radix: Radix | None = None
    continuation: str = ""

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
            words = [token for token in tokens if token not in (decoding.pad, decoding.bos)]
        text = " ".join(self.pieces[word].removeprefix(WORD_START) for word in words)
        return text.replace(self.continuation + " ", "") if self.continuation else text
