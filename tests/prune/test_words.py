"""References become words and ids."""

from capexport.prune.words import (
    BOS,
    EOS,
    PAD,
    UNK,
    all_tokens,
    decoding_rule,
    split_words,
    word_list,
)


def test_words_are_letters_digits_and_apostrophes() -> None:
    assert split_words("A blue-green lake, isn't it? 2 boats.") == [
        "a", "blue", "green", "lake", "isn't", "it", "2", "boats",
    ]  # fmt: skip


def test_common_words_come_first_and_rare_ones_not_at_all() -> None:
    words = word_list(["b a", "a b", "b c"], 2)
    assert words.pieces == ("<pad>", "<unk>", "<bos>", "<eos>", "▁b", "▁a")


def test_tokens_end_and_are_filled() -> None:
    words = word_list(["a a b"], 1)
    (short,), (long,) = (all_tokens([text], words, 4) for text in ("b zebra", "a b a b a"))
    assert short == [5, UNK, EOS, PAD]
    assert long == [4, 5, 4, EOS]


def test_the_text_comes_back() -> None:
    words = word_list(["two dogs on grass"], 1)
    tokens = all_tokens(["Dogs on grass!"], words, 9)[0]
    rule = decoding_rule(9, 2)
    assert rule.bos == BOS
    assert words.text(tokens, rule) == "dogs on grass"
