"""The decoding rule of a captioner, as data."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Decoding:
    """Token ids and limits of greedy and beam search.

    Args:
        bos: token that the first step reads.
        eos: token that ends a caption.
        pad: token that fills the rest of a batch; never produced on purpose.
        unk: the unknown word, or None when the lineage has none.
        max_length: most decoder steps, end token included.
        beam: hypotheses by default.
        suppress_unk: forbid `unk` in beam search (ruotianluo lineage); greedy never suppresses it.
    """

    bos: int
    eos: int
    pad: int
    unk: int | None
    max_length: int
    beam: int
    suppress_unk: bool = False
