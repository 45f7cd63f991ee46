"""References become words and ids."""

from capexport.prune.words import (
    BOS,
    EOS,
    IGNORED,
    UNK,
    decoding_rule,
    split_words,
    token_ids,
    word_ids,
    word_list,
)
from capexport.spec.decoding import Decoding
from capexport.spec.vocabulary import Vocabulary


def test_words_are_letters_digits_and_apostrophes() -> None:
    assert split_words("A blue-green lake, isn't it? 2 boats.") == [
        "a", "blue", "green", "lake", "isn't", "it", "2", "boats",
    ]  # fmt: skip


def test_common_words_come_first_and_rare_ones_not_at_all() -> None:
    words = word_list(["b a", "a b", "b c"], 2)
    assert words.pieces == ("<pad>", "<unk>", "<bos>", "<eos>", "▁b", "▁a")


def tokens(text: str, words: Vocabulary, rule: Decoding) -> list[int]:
    return token_ids(text, word_ids(words), rule)


def test_tokens_end_and_are_filled() -> None:
    words, rule = word_list(["a a b"], 1), decoding_rule(4, 2)
    assert tokens("b zebra", words, rule) == [5, UNK, EOS, IGNORED]
    assert tokens("a b a b a", words, rule) == [4, 5, 4, EOS]


def test_a_lineage_where_zero_ends_and_pads() -> None:
    words = Vocabulary(("", "a", "house"))
    rule = Decoding(bos=0, eos=0, pad=0, unk=None, max_length=4, beam=1)
    assert tokens("a red house", words, rule) == [1, 2, 0, IGNORED]


def test_the_text_comes_back() -> None:
    words, rule = word_list(["two dogs on grass"], 1), decoding_rule(9, 2)
    assert rule.bos == BOS
    assert words.text(tokens("Dogs on grass!", words, rule), rule) == "dogs on grass"
