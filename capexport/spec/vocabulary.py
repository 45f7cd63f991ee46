"""Token ids to text."""

from collections.abc import Iterable
from dataclasses import dataclass

from capexport.spec.decoding import Decoding

WORD_START = "\u2581"
"""sentencepiece's mark of a word start; a word model puts it before every word."""


@dataclass(frozen=True)
class Vocabulary:
    """Pieces in id order, exactly as the trainer wrote them (control pieces included)."""

    pieces: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.pieces)

    def text(self, ids: Iterable[int], decoding: Decoding) -> str:
        """Caption of `ids`: cut at the end token, control pieces dropped, `<unk>` kept visible."""
        words = []
        for token in ids:
            if token == decoding.eos:
                break
            if token not in (decoding.pad, decoding.bos):
                words.append(self.pieces[token].removeprefix(WORD_START))
        return " ".join(words)
