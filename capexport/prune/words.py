"""Reference captions -> a word list and token ids."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from capexport.spec.decoding import Decoding
from capexport.spec.vocabulary import WORD_START, Vocabulary

PAD, UNK, BOS, EOS = range(4)
IGNORED = -1
"""In place of a token: there is nothing to say. The pad token can mean the end."""
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


def word_ids(vocabulary: Vocabulary) -> dict[str, int]:
    """Id of every word, without the mark of a word's start."""
    return {piece.removeprefix(WORD_START): n for n, piece in enumerate(vocabulary.pieces)}


def token_ids(caption: str, ids: Mapping[str, int], rule: Decoding) -> list[int]:
    """Ids of a caption with the end token, cut at the rule's length and filled up with IGNORED.

    A word outside the vocabulary is the unknown word, or left out where there is none.
    """
    known = [ids.get(word, rule.unk) for word in split_words(caption)]
    tokens = [token for token in known if token is not None][: rule.max_length - 1]
    tokens.append(rule.eos)
    return tokens + [IGNORED] * (rule.max_length - len(tokens))
