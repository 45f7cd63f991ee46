"""The decoding rule of a captioner, as data."""

from dataclasses import dataclass

MOST_PENALTY = 10.0
"""A length to a higher power says nothing but which caption is the longest."""


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
        refill: at every step `beam` hypotheses go on beside those that ended (transformers);
            otherwise one that ended holds its place for the step (the papers' trainers).
        length_penalty: captions are ranked by log-prob / length ** length_penalty, the length in
            tokens with `eos`. Needs `refill` unless it is 0.
        early_stopping: end as soon as `beam` captions have ended. Needs `refill`.

    Raises:
        ValueError: an option that needs `refill` comes without it, or the penalty is not from
            -MOST_PENALTY to MOST_PENALTY.
    """

    bos: int
    eos: int
    pad: int
    unk: int | None
    max_length: int
    beam: int
    suppress_unk: bool = False
    refill: bool = False
    length_penalty: float = 0.0
    early_stopping: bool = False

    def __post_init__(self) -> None:
        if not -MOST_PENALTY <= self.length_penalty <= MOST_PENALTY:
            raise ValueError(f"length_penalty is {self.length_penalty}")
        if not self.refill and (self.length_penalty or self.early_stopping):
            raise ValueError("length_penalty and early_stopping need refill")
