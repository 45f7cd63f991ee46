"""Tokens to text exactly as the tokenizers library decodes them, from each kind of file."""

import json
from pathlib import Path
from typing import Any

import hugging_face_models as models
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders
from tokenizers.models import BPE, WordPiece

from capexport.checkpoint.hugging_face.vocabulary import read_vocabulary
from capexport.checkpoint.limits import DEFAULT_LIMITS
from capexport.checkpoint.source import FolderSource
from capexport.errors import CheckpointError, UnsupportedError
from capexport.spec.decoding import Decoding
from capexport.spec.vocabulary import BYTE_OF, BYTES, WORDPIECE, Vocabulary

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
ODD = ("!", "?", "n't", "'s", "##.", "##", "'ve", ".com", "do", "not", "é", "##é", "-")
PIECES = (*SPECIAL, *models.pieces(12)[5:], *ODD)
RULE = Decoding(bos=2, eos=3, pad=0, unk=None, max_length=20, beam=1, refill=True)


def wordpiece() -> Tokenizer:
    ids = {piece: number for number, piece in enumerate(PIECES)}
    tokenizer = Tokenizer(WordPiece(ids, unk_token="[UNK]"))
    tokenizer.decoder = decoders.WordPiece(prefix="##", cleanup=True)
    tokenizer.add_special_tokens(list(SPECIAL))
    return tokenizer


def byte_level() -> Tokenizer:
    alphabet = sorted(BYTE_OF)
    tokenizer = Tokenizer(BPE({c: i for i, c in enumerate(alphabet)}, []))
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|endoftext|>"])
    return tokenizer


def read(folder: Path, rows: int, **files: str) -> Vocabulary:
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text, encoding="utf-8")
    return read_vocabulary(FolderSource(folder, DEFAULT_LIMITS), rows)


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    text = wordpiece().to_str()
    return read(tmp_path_factory.mktemp("bert"), len(PIECES) + 2, tokenizer_json=text)


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    return read(tmp_path_factory.mktemp("gpt2"), 257, tokenizer_json=byte_level().to_str())


@given(st.lists(st.integers(4, len(PIECES) - 1), max_size=8))
def test_wordpiece_text_is_the_librarys(bert: Vocabulary, ids: list[int]) -> None:
    assert bert.text(ids, RULE) == wordpiece().decode(ids)


@given(st.text(max_size=12))
def test_byte_text_is_the_librarys(gpt2: Vocabulary, text: str) -> None:
    """Cut at both ends, where a caption's first word brings a blank."""
    character = {byte: c for c, byte in BYTE_OF.items()}
    ids = [sorted(BYTE_OF).index(character[byte]) for byte in text.encode("utf-8")]
    rule = Decoding(bos=256, eos=256, pad=256, unk=None, max_length=50, beam=1, refill=True)
    assert gpt2.text(ids, rule) == byte_level().decode(ids).strip() == text.strip()


def test_bytes_that_are_no_utf8_become_the_replacement_character(gpt2: Vocabulary) -> None:
    character = {byte: c for c, byte in BYTE_OF.items()}
    ids = [sorted(BYTE_OF).index(character[byte]) for byte in b"a\xffb"]
    rule = Decoding(bos=256, eos=256, pad=256, unk=None, max_length=50, beam=1, refill=True)
    assert gpt2.text(ids, rule) == byte_level().decode(ids) == "a\ufffdb"


def test_special_tokens_and_rows_without_a_piece_are_hidden(bert: Vocabulary) -> None:
    assert bert.joining == WORDPIECE
    assert bert.special == (0, 1, 2, 3, len(PIECES), len(PIECES) + 1)
    word = PIECES.index("do")
    assert bert.text([2, word, 1, len(PIECES), word, 3, word], RULE) == "do do"


def test_plain_files_give_the_same_vocabulary(
    bert: Vocabulary, gpt2: Vocabulary, tmp_path: Path
) -> None:
    plain = read(tmp_path, len(PIECES) + 2, vocab_txt="\n".join(PIECES) + "\n")
    assert plain == bert
    (tmp_path / "vocab.txt").unlink()
    ids = {piece: number for number, piece in enumerate(gpt2.pieces)}
    assert read(tmp_path, 257, vocab_json=json.dumps(ids)) == gpt2
    assert gpt2.joining == BYTES


def test_an_added_token_is_spelled_in_bytes(tmp_path: Path) -> None:
    tokenizer = byte_level()
    tokenizer.add_tokens(["a photo"])
    vocabulary = read(tmp_path, 258, tokenizer_json=tokenizer.to_str())
    assert vocabulary.text([257], RULE) == "a photo"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda t: t.update(decoder={"type": "Metaspace"}), UnsupportedError),
        (lambda t: t.update(decoder=None), UnsupportedError),
        (lambda t: t["decoder"].update(prefix="@@"), UnsupportedError),
        (lambda t: t["decoder"].update(cleanup=False), UnsupportedError),
        (lambda t: t["model"].update(vocab=3), CheckpointError),
        (lambda t: t["model"]["vocab"].update(far=10**12), CheckpointError),
        (lambda t: t["model"]["vocab"].update(none=None), CheckpointError),
        (lambda t: t.update(added_tokens=[{"id": 1}]), CheckpointError),
    ],
)
def test_other_tokenizers_are_refused(change: Any, error: type[Exception], tmp_path: Path) -> None:
    tokenizer = json.loads(wordpiece().to_str())
    change(tokenizer)
    with pytest.raises(error):
        read(tmp_path, len(PIECES), tokenizer_json=json.dumps(tokenizer))


def test_pieces_of_other_characters_are_refused_as_bytes(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="stand for no byte"):
        read(tmp_path, 1, vocab_json=json.dumps({"\u4e00": 0}))
