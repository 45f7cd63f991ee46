"""config.json and word.vocab: trainer versions, missing keys, contradictions."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints import SMALL, write_up_down

from capexport.checkpoint import read_checkpoint
from capexport.checkpoint.sparse_image_captioning.config import read_config
from capexport.errors import CheckpointError, UnsupportedError

SIZES = ("att_feat_size", "att_hid_size", "fc_feat_size", "input_encoding_size", "rnn_size")
TOKENS = ("bos_token_id", "eos_token_id", "pad_token_id", "unk_token_id")
OTHERS = ("beam_size_test", "caption_model", "logit_layers", "max_seq_length", "tokenizer")
NEEDED = (*SIZES, *TOKENS, *OTHERS, "vocab_size")
TRANSFORMER: dict[str, Any] = {
    "caption_model": "relation_transformer_prune",
    "tokenizer": "word",
    "vocab_size": 10_000,
    "max_seq_length": 18,
    "beam_size_test": 2,
    "att_feat_size": 2048,
    "pad_token_id": 0,
    "unk_token_id": 1,
    "bos_token_id": 2,
    "eos_token_id": 3,
    "num_layers": 6,
    "box_trigonometric_embedding": True,
    "input_encoding_size": 512,
    "rnn_size": 2048,
    "drop_prob_lm": 0.1,
}


def normalised(**keys: Any) -> dict[str, Any]:
    return read_config(json.dumps(TRANSFORMER | keys).encode(), "config.json")


@pytest.mark.parametrize("key", NEEDED)
def test_missing_key(tmp_path: Path, key: str) -> None:
    folder = write_up_down(tmp_path, config={key: None})
    with pytest.raises(CheckpointError, match=f"configuration has no {key}") as caught:
        read_checkpoint(folder)
    assert caught.value.where.endswith("config.json")
    assert caught.value.hint


def test_before_0_3() -> None:
    for version in ({"version": "0.2.0"}, {}):
        config = normalised(**version)
        assert config["vocab_size"] == 10_001
        assert (config["d_model"], config["dim_feedforward"]) == (512, 2048)
        assert config["drop_prob_src"] == 0.1
        assert not {"input_encoding_size", "rnn_size", "drop_prob_lm"} & set(config)


def test_before_0_6() -> None:
    config = normalised(version="0.5.0", d_model=512, dim_feedforward=2048, share_att_encoder="kv")
    shared = [value for key, value in config.items() if key.startswith("share_")]
    assert shared == [None] * 4
    assert (config["num_heads"], config["no_box_trigonometric_embedding"]) == (8, False)
    assert config["vocab_size"] == 10_000


def test_newest_is_left_alone() -> None:
    keys = {"d_model": 64, "dim_feedforward": 128, "num_heads": 4, "share_att_decoder": "kv"}
    config = normalised(version="1.0.0-alpha", **keys)
    assert config["share_att_decoder"] == "kv"
    assert config["caption_model"] == "relation_transformer"
    again = read_config(json.dumps(config).encode(), "config.json")
    assert again == config


def test_pruning_suffix_is_stripped(tmp_path: Path) -> None:
    assert read_checkpoint(write_up_down(tmp_path)).architecture == "up_down_lstm"


@pytest.mark.parametrize("text", ["{not json", "[1, 2]", "[" * 100_000, "\udcff"])
def test_invalid_json(tmp_path: Path, text: str) -> None:
    folder = write_up_down(tmp_path)
    (folder / "config.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(CheckpointError, match=r"not JSON|not a JSON object"):
        read_checkpoint(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("rnn_size", "16"),
        ("rnn_size", 0),
        ("rnn_size", True),
        ("max_seq_length", 10**9),
        ("beam_size_test", 10**6),
        ("eos_token_id", SMALL.vocabulary),
        ("bos_token_id", -1),
        ("version", "new"),
        ("caption_model", 3),
    ],
)
def test_impossible_value(tmp_path: Path, key: str, value: object) -> None:
    folder = write_up_down(tmp_path, config={key: value})
    with pytest.raises(CheckpointError, match=f"{key} is .* should be"):
        read_checkpoint(folder)


def test_other_tokenizer(tmp_path: Path) -> None:
    folder = write_up_down(tmp_path, config={"tokenizer": "bpe"})
    with pytest.raises(UnsupportedError, match="tokenizer is 'bpe'"):
        read_checkpoint(folder)


@pytest.mark.parametrize("change", [-2, 1])
def test_vocabulary_of_another_size(tmp_path: Path, change: int) -> None:
    folder = write_up_down(tmp_path)
    file = folder / "tokenizer" / "word.vocab"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(lines[:change] if change < 0 else [*lines, "x\t0\n"]), encoding="utf-8")
    words = SMALL.vocabulary + change
    with pytest.raises(CheckpointError, match=f"has {words} words.* vocab_size {SMALL.vocabulary}"):
        read_checkpoint(folder)


def test_embedding_of_another_size(tmp_path: Path) -> None:
    folder = write_up_down(tmp_path)
    file = folder / "model_best_pruned_sparse.pth"
    state = torch.load(file, weights_only=True)
    torch.save(state | {"embed.0.weight": torch.ones(7, SMALL.embedding)}, file)
    with pytest.raises(CheckpointError, match=f"has 7 rows, vocab_size is {SMALL.vocabulary}"):
        read_checkpoint(folder)


def test_weights_of_another_architecture(tmp_path: Path) -> None:
    folder = write_up_down(tmp_path)
    torch.save({"x": torch.ones(2, 2)}, folder / "model_best_pruned_sparse.pth")
    with pytest.raises(CheckpointError, match=r"no matrix embed\.0\.weight"):
        read_checkpoint(folder)


def test_row_beyond_the_words_is_unknown(tmp_path: Path) -> None:
    """Version 0.2 counted one row less than it embedded; the row prints as <unk>."""
    rows = SMALL.vocabulary
    folder = write_up_down(tmp_path, config={"version": "0.2.0", "vocab_size": rows - 1})
    file = folder / "tokenizer" / "word.vocab"
    file.write_text(
        "".join(file.read_text(encoding="utf-8").splitlines(keepends=True)[:-1]), encoding="utf-8"
    )
    vocabulary = read_checkpoint(folder).vocabulary
    assert len(vocabulary) == rows
    assert vocabulary.pieces[-1] == "<unk>"


@pytest.mark.parametrize("line", [b"\xff\xfe\t0\n", b"no tab\n", b"word\tnot a number\n", b"\t0\n"])
def test_damaged_vocabulary(tmp_path: Path, line: bytes) -> None:
    folder = write_up_down(tmp_path)
    file = folder / "tokenizer" / "word.vocab"
    rest = file.read_bytes().split(b"\n", 1)[1]
    file.write_bytes(line + rest)
    with pytest.raises(CheckpointError, match="vocabulary"):
        read_checkpoint(folder)


def test_pieces_may_hold_odd_separators(tmp_path: Path) -> None:
    folder = write_up_down(tmp_path)
    file = folder / "tokenizer" / "word.vocab"
    lines = file.read_bytes().split(b"\n")
    lines[5] = "\u2581a\u2028b\t-1".encode()
    file.write_bytes(b"\r\n".join(lines))
    assert read_checkpoint(folder).vocabulary.pieces[5] == "\u2581a\u2028b"
