"""What a Checkpoint says about itself: counts, size bound, digests, vocabulary, decoding rule."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from checkpoints import SMALL, pieces, write_up_down

from capexport.checkpoint import LayerStatistics, read_checkpoint
from capexport.checkpoint.statistics import size_bound

PUBLISHED_BOUND_MB = 0.094
MB_TOLERANCE = 0.001


def test_published_model(shared_data: Path) -> None:
    checkpoint = read_checkpoint(shared_data / "checkpoints" / "smp-updown-tiny-xe")
    assert checkpoint.architecture == "up_down_lstm"
    assert checkpoint.lineage == "sparse-image-captioning"
    assert (checkpoint.parameters, checkpoint.nnz) == (1_896_313, 47_264)
    assert checkpoint.bytes_on_disk == 978_639
    assert checkpoint.sha256["model_best_pruned_sparse.pth"].startswith("1b84d0c7bad47648")
    assert set(checkpoint.sha256) == {
        "config.json",
        "model_best_pruned_sparse.pth",
        "tokenizer/word.vocab",
    }
    bound = checkpoint.size_bound_bytes()
    assert bound["int8"] / 1e6 == pytest.approx(PUBLISHED_BOUND_MB, abs=MB_TOLERANCE)
    assert checkpoint.vocabulary.text([4, 3], checkpoint.decoding) == "a"


def test_position_table_is_no_parameter(shared_data: Path) -> None:
    checkpoint = read_checkpoint(shared_data / "golden" / "ort_small_s90")
    assert "model.tgt_embed.1.pe" in checkpoint.tensors
    assert (checkpoint.architecture, checkpoint.parameters) == ("relation_transformer", 363_836)


def test_masks_and_buffers_are_not_counted(tmp_path: Path) -> None:
    with_masks = read_checkpoint(write_up_down(tmp_path / "a", kind="model_best"))
    without = read_checkpoint(write_up_down(tmp_path / "b", kind="model_best_pruned"))
    assert (with_masks.parameters, with_masks.nnz) == (without.parameters, without.nnz)
    buffered = {**without.tensors, "norm.running_mean": torch.ones(5), "x.pe": torch.ones(1, 9, 4)}
    assert replace(without, tensors=buffered).parameters == without.parameters


def test_layers(tmp_path: Path) -> None:
    checkpoint = read_checkpoint(write_up_down(tmp_path, sparsity=0.75))
    layers = {layer.name: layer for layer in checkpoint.layers()}
    assert len(layers) == 11
    elements = SMALL.vocabulary * SMALL.rnn
    shape = (SMALL.vocabulary, SMALL.rnn)
    assert layers["logit.weight"] == LayerStatistics("logit.weight", shape, elements // 4, 0.75)
    assert checkpoint.nnz == sum(layer.nnz for layer in layers.values())


def test_size_bound_by_hand() -> None:
    half = LayerStatistics("half", (4, 8), 16, 0.5)  # 32 bits of positions, 16 values
    empty = LayerStatistics("empty", (4, 8), 0, 1.0)
    full = LayerStatistics("full", (4, 8), 32, 0.0)
    assert size_bound([half], 0, 8) == 4 + 16
    assert size_bound([half, empty, full], 3, 4) == (4 + 8) + 0 + 16 + 6


def test_digests_are_of_the_files(tmp_path: Path) -> None:
    checkpoint = read_checkpoint(write_up_down(tmp_path))
    for name, digest in checkpoint.sha256.items():
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == digest


def test_vocabulary_and_decoding(tmp_path: Path) -> None:
    checkpoint = read_checkpoint(write_up_down(tmp_path))
    decoding = checkpoint.decoding
    assert checkpoint.vocabulary.pieces == tuple(pieces(SMALL.vocabulary))
    assert (decoding.pad, decoding.unk, decoding.bos, decoding.eos) == (0, 1, 2, 3)
    assert (decoding.max_length, decoding.beam) == (SMALL.max_length, 2)
    assert not decoding.suppress_unk
