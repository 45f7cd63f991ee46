"""Reference captions -> a word list and token ids."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from capexport.spec.decoding import Decoding
from capexport.spec.vocabulary import WORD_START, Vocabulary

PAD, UNK, BOS, EOS = range(4)
CONTROL_PIECES = ("<pad>", "<unk>", "<bos>", "<eos>")


def split_words(caption: str) -> list[str]:
    """Lower-case words; everything but letters, digits and apostrophes is a blank."""
    return re.sub(r"[^a-z0-9']+", " ", caption.lower()).split()


def word_list(captions: Iterable[str], least: int) -> Vocabulary:
    """The words that occur at least `least` times, commonest first, then by the alphabet."""
    counts = Counter(word for caption in captions for word in split_words(caption))
    words = sorted((w for w, n in counts.items() if n >= least), key=lambda w: (-counts[w], w))
    return Vocabulary((*CONTROL_PIECES, *(WORD_START + word for word in words)))


def decoding_rule(max_length: int, beam: int) -> Decoding:
    """The rule that goes with `word_list`; max_length counts the end token."""
    return Decoding(bos=BOS, eos=EOS, pad=PAD, unk=UNK, max_length=max_length, beam=beam)


def token_ids(caption: str, ids: dict[str, int], max_length: int) -> list[int]:
    """Ids of a caption with the end token, cut at max_length and filled up with pad."""
    words = [ids.get(WORD_START + word, UNK) for word in split_words(caption)]
    tokens = [*words[: max_length - 1], EOS]
    return tokens + [PAD] * (max_length - len(tokens))


def piece_ids(vocabulary: Vocabulary) -> dict[str, int]:
    """Id of every piece."""
    return {piece: number for number, piece in enumerate(vocabulary.pieces)}


def all_tokens(captions: Sequence[str], vocabulary: Vocabulary, max_length: int) -> list[list[int]]:
    """`token_ids` of each caption."""
    ids = piece_ids(vocabulary)
    return [token_ids(caption, ids, max_length) for caption in captions]
