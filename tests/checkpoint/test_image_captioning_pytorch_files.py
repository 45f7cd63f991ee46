"""model*.pth and infos_*.pkl: which belong together, what they say, and what is refused."""

import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from random_checkpoints import WORDS, random_checkpoint
from trainer_files import write_image_captioning_pytorch

from capexport.captioner import build_captioner
from capexport.checkpoint import Limits, read_checkpoint
from capexport.errors import CapexportError, CheckpointError, UnsupportedError

UPDOWN = random_checkpoint("up_down_lstm")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_image_captioning_pytorch(tmp_path / "log", UPDOWN)


def with_options(folder: Path, **options: Any) -> Path:
    return write_image_captioning_pytorch(folder, UPDOWN, **options)


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    (file,) = folder.glob("infos*")
    infos = pickle.loads(file.read_bytes())
    change(infos)
    file.write_bytes(pickle.dumps(infos, 2))


def refused(path: Path, what: str, kind: type[CapexportError] = CheckpointError) -> CapexportError:
    with pytest.raises(kind, match=what) as error:
        build_captioner(read_checkpoint(path))
    assert error.value.where
    assert error.value.hint
    return error.value


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_what_the_files_say(tmp_path: Path, protocol: int) -> None:
    folder = write_image_captioning_pytorch(tmp_path / "log", UPDOWN, protocol=protocol)
    read = read_checkpoint(folder)
    assert (read.lineage, read.architecture) == ("image-captioning-pytorch", "up_down_lstm")
    assert set(read.sha256) == {"model.pth", "infos_x.pkl"}
    assert read.config["vocab_size"] == len(read.vocabulary) == WORDS
    for name, tensor in UPDOWN.tensors.items():
        torch.testing.assert_close(read.tensors[name], tensor, rtol=0, atol=0)
    rule = read.decoding
    assert (rule.bos, rule.eos, rule.pad, rule.unk) == (0, 0, 0, WORDS - 1)
    assert (rule.max_length, rule.beam, rule.suppress_unk) == (9, 5, True)
    assert read.vocabulary.text([1, WORDS - 1, 0, 2], rule) == "w1 UNK"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"max_length": 0}, {"max_length": 7}),
        ({"suppress_UNK": 0}, {"suppress_unk": False}),
        ({"bos_idx": 1, "eos_idx": 2, "pad_idx": 3}, {"bos": 1, "eos": 2, "pad": 3}),
        ({"unk_idx": 4}, {"unk": 4}),
        ({"beam_size": 1}, {"beam": 5}),
    ],
)
def test_options_of_decoding(folder: Path, options: dict[str, int], expected: Any) -> None:
    rule = read_checkpoint(with_options(folder, **options)).decoding
    assert {name: getattr(rule, name) for name in expected} == expected


def test_a_model_without_unk_and_without_max_length(folder: Path) -> None:
    def change(infos: dict[str, Any]) -> None:
        infos["vocab"][str(WORDS - 1)] = "zebra"
        del infos["opt"].max_length

    edit(folder, change)
    rule = read_checkpoint(folder).decoding
    assert rule.unk is None
    assert rule.max_length == 20


def test_show_tell_knows_another_length_and_no_unk(tmp_path: Path) -> None:
    show_tell = random_checkpoint("show_tell")
    rule = read_checkpoint(write_image_captioning_pytorch(tmp_path / "log", show_tell)).decoding
    assert (rule.max_length, rule.suppress_unk) == (7, False)


def test_the_best_weights_and_their_infos_are_taken(folder: Path) -> None:
    best = random_checkpoint("up_down_lstm", seed=1)
    write_image_captioning_pytorch(folder, best, append="-best", max_length=5)
    write_image_captioning_pytorch(folder, UPDOWN, append="-4000", max_length=6)
    shutil.copy(folder / "model.pth", folder / "optimizer.pth")
    for path, file, length in (
        (folder, "model-best.pth", 5),
        (folder / "model.pth", "model.pth", 9),
        (folder / "model-4000.pth", "model-4000.pth", 6),
    ):
        read = read_checkpoint(path)
        assert (read.weights_file, read.decoding.max_length) == (file, length)


def test_one_infos_file_belongs_to_any_weights(folder: Path) -> None:
    (folder / "model.pth").rename(folder / "my_model.pth")
    refused(folder, "there are 0 model")
    assert read_checkpoint(folder / "my_model.pth").weights_file == "my_model.pth"
    (folder / "my_model.pth").rename(folder / "model-7.pth")
    assert read_checkpoint(folder).weights_file == "model-7.pth"


def test_what_belongs_together_must_be_clear(folder: Path) -> None:
    shutil.copy(folder / "infos_x.pkl", folder / "infos_y.pkl")
    refused(folder, "2 of 2 infos files belong to model.pth")
    for number in (1, 2):
        shutil.copy(folder / "model.pth", folder / f"model-{number}.pth")
    (folder / "model.pth").unlink()
    refused(folder, "there are 2 model")
    refused(folder / "model-1.pth", "0 of 2 infos files")


def test_a_zip_is_read_as_its_folder_is(folder: Path, tmp_path: Path) -> None:
    zipped = shutil.make_archive(str(tmp_path / "z"), "zip", folder.parent, folder.name)
    assert read_checkpoint(Path(zipped)).weights_file == "model.pth"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda i: i.pop("opt"), "no options"),
        (lambda i: i.update(opt=[1]), "no options"),
        (lambda i: i.pop("vocab"), "no words"),
        (lambda i: i.update(vocab={}), "no words"),
        (lambda i: i["vocab"].pop("7"), "no word 7 of 38"),
        (lambda i: i["vocab"].update({"7": 7}), "no word 7 of 39"),
        (lambda i: setattr(i["opt"], "vocab_size", 12), "vocab_size is '12'"),
        (lambda i: setattr(i["opt"], "caption_model", None), "caption_model is"),
        (lambda i: setattr(i["opt"], "rnn_size", "512"), "rnn_size is 512"),
        (lambda i: setattr(i["opt"], "rnn_size", [16]), "rnn_size is None"),
        (lambda i: setattr(i["opt"], "max_length", 10**6), "max_length is"),
        (lambda i: setattr(i["opt"], "eos_idx", WORDS), "eos_idx is"),
        (lambda i: setattr(i["opt"], "unk_idx", -1), "unk_idx is"),
        (lambda i: setattr(i["opt"], "fc_feat_size", 7), "the configuration says"),
    ],
)
def test_options_that_make_no_sense(
    folder: Path, change: Callable[[dict[str, Any]], object], what: str
) -> None:
    edit(folder, change)
    refused(folder, what)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"caption_model": "denseatt"}, "no architecture 'denseatt'"),
        ({"use_bn": 3}, "use_bn is '3'"),
    ],
)
def test_options_of_other_networks(folder: Path, options: dict[str, Any], what: str) -> None:
    refused(with_options(folder, **options), what, UnsupportedError)


def test_an_infos_file_is_bounded(folder: Path) -> None:
    with pytest.raises(CheckpointError, match="more than 100"):
        read_checkpoint(folder, limits=Limits(text_bytes=100))


def test_an_infos_file_that_runs_code_is_refused(folder: Path, tmp_path: Path) -> None:
    class Code:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "proof",))

    edit(folder, lambda infos: infos.update(iterators=Code()))
    refused(folder, "names __builtin__.getattr")
    assert not (tmp_path / "proof").exists()


def test_batch_norms_counters_are_no_weights(tmp_path: Path) -> None:
    checkpoint = random_checkpoint("up_down_lstm", use_bn=1)
    counters = {"att_embed.0.num_batches_tracked": torch.tensor(3)}
    folder = write_image_captioning_pytorch(tmp_path / "log", checkpoint)
    torch.save({**checkpoint.tensors, **counters}, folder / "model.pth")
    assert set(read_checkpoint(folder).tensors) == set(checkpoint.tensors)
