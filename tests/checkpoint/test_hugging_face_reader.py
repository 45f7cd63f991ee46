"""Folders of transformers: every way to store the weights, and what is refused of strangers."""

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hugging_face_models as models
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from capexport.captioner import build_captioner
from capexport.checkpoint import Limits, read_checkpoint
from capexport.errors import CheckpointError, UnsupportedError

WORDS = "text_decoder.bert.embeddings.word_embeddings.weight"
HEAD = "text_decoder.cls.predictions"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return models.save(models.blip(), tmp_path_factory.mktemp("blip") / "model")


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    return shutil.copytree(saved, tmp_path / "model")


def change_weights(folder: Path, change: Callable[[dict[str, Tensor]], object]) -> None:
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors")


def change_json(file: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


def shard(folder: Path) -> None:
    """The weights in two files and their index, as large models are saved."""
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(tensors)
    places = {name: f"model-0000{1 + i % 2}-of-00002.safetensors" for i, name in enumerate(names)}
    for file in set(places.values()):
        save_file({n: t for n, t in tensors.items() if places[n] == file}, folder / file)
    index = {"metadata": {}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def as_pickle(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(tensors, folder / "pytorch_model.bin")


def as_half(folder: Path) -> None:
    change_weights(folder, lambda t: t.update({n: v.half() for n, v in t.items()}))


def with_copies_and_buffers(folder: Path) -> None:
    """What older versions save beside the weights."""
    change_weights(
        folder,
        lambda t: t.update(
            {
                f"{HEAD}.decoder.weight": t[WORDS].clone(),
                f"{HEAD}.decoder.bias": t[f"{HEAD}.bias"].clone(),
                "text_decoder.bert.embeddings.position_ids": torch.arange(32)[None],
            }
        ),
    )


@pytest.mark.parametrize("store", [shard, as_pickle, with_copies_and_buffers])
def test_every_way_to_store_gives_the_same_tensors(
    saved: Path, folder: Path, store: Callable[[Path], None]
) -> None:
    expected = read_checkpoint(saved).tensors
    store(folder)
    checkpoint = read_checkpoint(folder)
    assert set(checkpoint.tensors) == set(expected)
    assert all(torch.equal(checkpoint.tensors[name], expected[name]) for name in expected)
    build_captioner(checkpoint)


def test_half_precision_is_read_as_float32(saved: Path, folder: Path) -> None:
    as_half(folder)
    read = read_checkpoint(folder).tensors[WORDS]
    assert read.dtype == torch.float32
    assert torch.equal(read, read_checkpoint(saved).tensors[WORDS].half().float())


def test_a_zip_or_one_file_of_the_folder_is_read_too(folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, f"model/{file.name}")
    names = set(read_checkpoint(folder).tensors)
    assert set(read_checkpoint(tmp_path / "m.zip").tensors) == names
    assert set(read_checkpoint(folder / "model.safetensors").tensors) == names


def test_every_file_that_counts_has_its_digest(folder: Path) -> None:
    shard(folder)
    assert set(read_checkpoint(folder).sha256) == {
        "config.json",
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
        "model.safetensors.index.json",
        "preprocessor_config.json",
        "vocab.txt",
    }


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda c: c.update(model_type="llama"), "no captioner 'llama'"),
        (lambda c: c.update(model_type="vision-encoder-decoder"), "of None and None"),
        (lambda c: c["vision_config"].update(num_channels=4), "num_channels is 4, only 3"),
        (lambda c: c["text_config"].update(is_decoder=False), "is_decoder is False"),
        (
            lambda c: c["text_config"].update(position_embedding_type="relative_key"),
            "position_embedding_type is 'relative_key'",
        ),
    ],
)
def test_other_models_are_refused_by_name(
    folder: Path, change: Callable[[dict[str, Any]], object], what: str
) -> None:
    change_json(folder / "config.json", change)
    with pytest.raises(UnsupportedError) as error:
        read_checkpoint(folder)
    assert what in error.value.what.replace("'4'", "4").replace("'False'", "False")


def test_the_refusal_lists_what_would_work(folder: Path) -> None:
    change_json(folder / "config.json", lambda c: c.update(model_type="llama"))
    with pytest.raises(UnsupportedError, match="blip, git, vision-encoder-decoder of vit and gpt2"):
        read_checkpoint(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("num_hidden_layers", 10**9),
        ("num_hidden_layers", 0),
        ("hidden_size", -1),
        ("hidden_size", 15),
        ("hidden_size", "16"),
        ("vocab_size", True),
        ("layer_norm_eps", 2),
        ("hidden_act", 7),
        ("bos_token_id", 60),
        ("max_length", 1),
        ("max_new_tokens", 10**6),
        ("length_penalty", "long"),
        ("num_beams", 0),
    ],
)
def test_numbers_that_make_no_sense_are_refused(folder: Path, key: str, value: object) -> None:
    change_json(folder / "config.json", lambda c: c["text_config"].update({key: value}))
    with pytest.raises(CheckpointError, match="should be"):
        read_checkpoint(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("do_sample", True),
        ("no_repeat_ngram_size", 3),
        ("repetition_penalty", 1.2),
        ("min_length", 5),
        ("forced_eos_token_id", 3),
        ("suppress_tokens", [7]),
        ("num_beam_groups", 2),
        ("early_stopping", "never"),
        ("sep_token_id", [3, 4]),
        ("max_new_tokens", 33),
        ("pad_token_id", models.BOS),
    ],
)
def test_settings_that_are_not_reproduced_are_refused(
    folder: Path, key: str, value: object
) -> None:
    change_json(folder / "config.json", lambda c: c["text_config"].update({key: value}))
    with pytest.raises(UnsupportedError):
        read_checkpoint(folder)


def test_settings_that_change_nothing_are_accepted(folder: Path) -> None:
    neutral = {
        "do_sample": False,
        "min_length": 0,
        "repetition_penalty": 1.0,
        "bad_words_ids": None,
    }
    change_json(folder / "config.json", lambda c: c["text_config"].update(neutral))
    assert read_checkpoint(folder).decoding.refill


@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 7, b"\xff" * 64, (10**12).to_bytes(8, "little") + b"{}", b'\x02\0\0\0\0\0\0\0{"'],
)
def test_damaged_safetensors_are_refused(folder: Path, content: bytes) -> None:
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged"):
        read_checkpoint(folder)


def test_a_file_that_is_cut_short_is_refused(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(CheckpointError, match="damaged"):
        read_checkpoint(folder)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda t: t.pop(WORDS), "is missing"),
        (lambda t: t.update(extra=torch.zeros(2)), "extra is not expected"),
        (lambda t: t.update({WORDS: torch.zeros(3, 16)}), "config"),
        (lambda t: t.update({WORDS: torch.full((60, 16), torch.nan)}), "NaN"),
        (lambda t: t.update({WORDS: torch.zeros(60, 16, dtype=torch.int64)}), "torch.int64"),
    ],
)
def test_weights_must_be_the_models(
    folder: Path, change: Callable[[dict[str, Tensor]], object], what: str
) -> None:
    change_weights(folder, change)
    with pytest.raises(CheckpointError, match=what):
        build_captioner(read_checkpoint(folder))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda i: i["weight_map"].update(x="../model.safetensors"), "no file of this folder"),
        (lambda i: i["weight_map"].update(x="/etc/passwd"), "no file of this folder"),
        (lambda i: i["weight_map"].update(x=3), "no file of this folder"),
        (lambda i: i["weight_map"].update(x="more.safetensors"), "more.safetensors is missing"),
        (lambda i: i["weight_map"].pop(WORDS), "disagree"),
        (lambda i: i.update(weight_map={}), "no weight_map"),
        (lambda i: i["weight_map"].update({str(n): f"{n}.bin" for n in range(300)}), "files"),
    ],
)
def test_an_index_must_fit_its_files(
    folder: Path, change: Callable[[dict[str, Any]], object], what: str
) -> None:
    shard(folder)
    change_json(folder / "model.safetensors.index.json", change)
    with pytest.raises(CheckpointError, match=what):
        read_checkpoint(folder)


def test_without_generation_config_the_settings_stand_in_config(tmp_path: Path) -> None:
    folder = models.save(models.vit_gpt2(), tmp_path / "m")
    (folder / "generation_config.json").unlink()
    expected = read_checkpoint(folder).decoding
    assert (expected.bos, expected.eos, expected.pad) == (models.BOS, models.EOS, models.PAD)
    change_json(folder / "config.json", lambda c: c.update(max_length=7, num_beams=4))
    decoding = read_checkpoint(folder).decoding
    assert (decoding.max_length, decoding.beam) == (6, 4)


def test_the_limit_of_elements_holds_for_all_shards_together(folder: Path) -> None:
    shard(folder)
    total = sum(tensor.numel() for tensor in read_checkpoint(folder).tensors.values())
    with pytest.raises(CheckpointError, match="more than"):
        read_checkpoint(folder, limits=Limits(elements=total - 1))


def test_more_elements_than_the_limit_are_refused(folder: Path) -> None:
    with pytest.raises(CheckpointError, match="more than 1000 elements"):
        read_checkpoint(folder, limits=Limits(elements=1000))


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("model.safetensors", "no model.safetensors"),
        ("vocab.txt", "no tokenizer.json"),
        ("preprocessor_config.json", "preprocessor_config.json is missing"),
    ],
)
def test_a_missing_file_is_named(folder: Path, name: str, what: str) -> None:
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=what):
        read_checkpoint(folder)
