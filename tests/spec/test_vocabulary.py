"""Token ids as text, for each way in which trainers number their words."""

import pytest

from capexport.spec.decoding import Decoding
from capexport.spec.vocabulary import Radix, Vocabulary

WORDS = ("<pad>", "<unk>", "<bos>", "<eos>", "▁a", "▁dog", "▁runs", "▁far", "▁away", "▁home")
DECODING = Decoding(bos=2, eos=3, pad=0, unk=1, max_length=8, beam=2)
RADIX = Vocabulary(WORDS, Radix(base=4, digits=2))
RADIX_DECODING = Decoding(bos=5, eos=6, pad=0, unk=None, max_length=8, beam=2)


def radix_tokens(word: int) -> list[int]:
    """The trainer's code of a word, written out."""
    high, low = divmod(word - 4, 4)
    return [high + 1, low + 1]


def test_one_token_a_word() -> None:
    assert Vocabulary(WORDS).text([2, 4, 1, 5, 0, 3, 6], DECODING) == "a <unk> dog"
    assert len(Vocabulary(WORDS)) == len(WORDS)


def test_pieces_that_go_on_are_joined() -> None:
    vocabulary = Vocabulary(("", "fire@@", "man", "a"), continuation="@@")
    decoding = Decoding(bos=0, eos=0, pad=0, unk=None, max_length=8, beam=1)
    assert vocabulary.text([3, 1, 2, 0, 3], decoding) == "a fireman"
    assert vocabulary.text([3, 1], decoding) == "a fire@@"


@pytest.mark.parametrize("words", [[4], [5, 9, 4], [9, 8, 7, 6, 5]])
def test_radix_words_come_back(words: list[int]) -> None:
    tokens = [token for word in words for token in radix_tokens(word)]
    expected = " ".join(WORDS[word].lstrip("▁") for word in words)
    assert RADIX.text([*tokens, 6, 1, 1], RADIX_DECODING) == expected
    assert len(RADIX) == 4 + 3


def test_a_radix_number_beyond_the_words_is_unknown() -> None:
    assert RADIX.text(radix_tokens(10), RADIX_DECODING) == "<unk>"


def test_half_a_radix_word_is_filled_with_zero() -> None:
    assert RADIX.text([*radix_tokens(5), 2], RADIX_DECODING) == "dog away"
