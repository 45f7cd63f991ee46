"""Words of several tokens: the trainer's radix tokenizer, its configuration against its words."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformer_checkpoints import write_transformer

from capexport.checkpoint import read_checkpoint
from capexport.errors import CheckpointError
from capexport.spec.vocabulary import Radix

WORDS = 60
BASE = 7
RADIX: dict[str, Any] = {
    "tokenizer": "radix",
    "radix_base": BASE,
    "vocab_size": BASE + 3,
    "pad_token_id": 0,
    "bos_token_id": BASE + 1,
    "eos_token_id": BASE + 2,
    "unk_token_id": [2, 2, 1],  # 56 = 1 * 49 + 1 * 7 + 0
}


def write_radix(folder: Path, **changes: Any) -> Path:
    """A model of WORDS pieces with 10 tokens; the file of pieces stays as long as it is."""
    return write_transformer(folder, config={**RADIX, **changes})


def embed_tokens(folder: Path) -> None:
    """Give the model as many embeddings as it has tokens."""
    path = folder / "model_best_pruned_sparse.pth"
    state = torch.load(path, weights_only=True)
    for name in ("tgt_embed.0.lut.weight", "generator.proj.weight", "generator.proj.bias"):
        dense = state[f"model.{name}"]
        dense = dense.to_dense() if dense.is_sparse else dense
        state[f"model.{name}"] = dense[: BASE + 3].clone()
    torch.save(state, path)


def test_the_vocabulary_knows_base_and_digits(tmp_path: Path) -> None:
    folder = write_radix(tmp_path / "c")
    embed_tokens(folder)
    checkpoint = read_checkpoint(folder)
    assert checkpoint.vocabulary.radix == Radix(BASE, 3)
    assert len(checkpoint.vocabulary) == BASE + 3
    assert len(checkpoint.vocabulary.pieces) == WORDS
    assert checkpoint.decoding.unk is None
    text = checkpoint.vocabulary.text([1, 1, 2, 2, 2, 1, BASE + 2], checkpoint.decoding)
    pieces = checkpoint.vocabulary.pieces
    assert text == f"{pieces[5].removeprefix(chr(0x2581))} <unk>"


@pytest.mark.parametrize(
    "change",
    [
        {"radix_base": 8},
        {"radix_base": "7"},
        {"radix_base": 1},
        {"radix_base": None},
        {"vocab_size": 12},
        {"bos_token_id": 2},
        {"unk_token_id": [2, 2, 2]},
        {"unk_token_id": 1},
        {"unk_token_id": None},
    ],
)
def test_token_ids_must_belong_to_the_base_and_the_words(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    with pytest.raises(CheckpointError, match="token ids are not those of 60 pieces"):
        read_checkpoint(write_radix(tmp_path / "c", **change))


def test_a_file_of_other_words_is_refused(tmp_path: Path) -> None:
    folder = write_radix(tmp_path / "c")
    words = folder / "tokenizer" / "word.vocab"
    words.write_text("".join(words.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(CheckpointError, match="59 pieces"):
        read_checkpoint(folder)


@pytest.mark.parametrize(
    ("version", "old"),
    [
        ("0.5.0", {}),
        ("0.2.0", {"input_encoding_size": 16, "rnn_size": 24, "drop_prob_lm": 0.1}),
    ],
)
def test_older_configurations_build_the_same_model(
    tmp_path: Path, version: str, old: dict[str, Any]
) -> None:
    newest = read_checkpoint(write_transformer(tmp_path / "new"))
    folder = write_transformer(tmp_path / "old")
    config = json.loads((folder / "config.json").read_text())
    config |= {"version": version, "box_trigonometric_embedding": True, **old}
    config["vocab_size"] -= "input_encoding_size" in old
    renamed = ("d_model", "dim_feedforward") if old else ()
    for key in ("no_box_trigonometric_embedding", *renamed):
        del config[key]
    (folder / "config.json").write_text(json.dumps(config))
    found = read_checkpoint(folder)
    for key in ("d_model", "dim_feedforward", "vocab_size", "no_box_trigonometric_embedding"):
        assert found.config[key] == newest.config[key]
