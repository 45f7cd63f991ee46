"""The whole way: a checkpoint and captions on disk become a sparse checkpoint on disk."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_training import CAPTIONS, FEATURES, REGIONS, tiny_checkpoint, tiny_examples
from typer.testing import CliRunner

from capexport.checkpoint import Checkpoint, Storage, read_checkpoint, write_checkpoint
from capexport.cli import app
from capexport.errors import InputError
from capexport.prune.run import Target, prune
from capexport.prune.training import Plan

PLAN = Plan(epochs=2, batch=4)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """checkpoint/, captions.json and features.npz of the tiny model's twelve images."""
    write_checkpoint(tmp_path / "checkpoint", tiny_checkpoint())
    names = [f"{n}.jpg" for n in range(12)]
    records = [
        {"set": "tiny", "split": "train", "file": name, "captions": [CAPTIONS[n % 4]] * 2}
        for n, name in enumerate(names)
    ]
    (tmp_path / "captions.json").write_text(json.dumps({"images": records}))
    att = tiny_examples().inputs["att"].numpy()
    np.savez(tmp_path / "features.npz", **{f"{n}.att": att[n] for n in range(12)})
    return tmp_path


@pytest.mark.parametrize("method", ["supermask", "gradual", "oneshot"])
def test_the_command_line(method: str, folder: Path) -> None:
    arguments = [str(folder / "checkpoint"), "--data", str(folder), "--out", str(folder / "sparse")]
    arguments = ["prune", *arguments, "--features", str(folder / "features.npz")]
    arguments += ["--method", method, "--sparsity", "0.5", "--epochs", "2", "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["sparsity"] == pytest.approx(0.5, abs=0.01)
    assert read_checkpoint(folder / "sparse").statistics()["sparsity"] == document["sparsity"]
    assert not list(folder.glob("*.state*"))


def test_pruning_stops_early_by_a_held_out_split(folder: Path) -> None:
    document = json.loads((folder / "captions.json").read_text())
    for record in document["images"][8:]:
        record["split"] = "dev"
    (folder / "captions.json").write_text(json.dumps(document))
    plan = Plan(epochs=500, batch=4, learning_rate=0.02, patience=1)
    messages: list[str] = []
    prune(
        folder / "checkpoint",
        folder,
        folder / "sparse",
        Target("oneshot", 0.5),
        plan,
        features=folder / "features.npz",
        held_out="dev",
        progress=messages.append,
    )
    assert ", held out " in messages[-1]
    assert len(messages) < plan.steps(8)


def test_patience_asks_for_held_out_images_and_excludes_averages(folder: Path) -> None:
    arguments = [str(folder / "checkpoint"), "--data", str(folder), "--out", str(folder / "sparse")]
    arguments = ["prune", *arguments, "--features", str(folder / "features.npz"), "--patience", "1"]
    without = CliRunner().invoke(app, arguments)
    assert "no image is in split 'val'" in without.stderr
    both = CliRunner().invoke(app, [*arguments, "--average", "0.2"])
    assert "two answers" in both.stderr
    assert without.exit_code == both.exit_code == 1


def test_storage_rounds_the_weights_and_shrinks_the_file(folder: Path) -> None:
    def pruned(storage: Storage) -> Checkpoint:
        source, out = folder / "checkpoint", folder / storage
        target, plan = Target("oneshot", 0.9), Plan(epochs=1, batch=12)
        features = folder / "features.npz"
        return prune(source, folder, out, target, plan, features=features, storage=storage)

    exact, halved = pruned("float32"), pruned("float16")
    assert halved.bytes_on_disk < exact.bytes_on_disk
    for name, tensor in exact.tensors.items():
        rounded = tensor.half().float() if tensor.ndim == 2 else tensor
        assert torch.equal(halved.tensors[name], rounded), name


def test_inputs_come_from_one_place(folder: Path) -> None:
    with pytest.raises(InputError, match="image encoder or from a features file"):
        prune(folder / "checkpoint", folder, folder / "out", Target("oneshot", 0.5), PLAN)


def test_a_killed_command_goes_on_from_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = (folder / "checkpoint", folder)
    plan, features = Plan(epochs=4, batch=4, save_every=5), folder / "features.npz"
    target = Target("supermask", 0.5)
    whole = prune(*arguments, folder / "whole", target, plan, features=features)

    def kill(text: str) -> None:
        if text.startswith("step 7 "):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prune(*arguments, folder / "out", target, plan, features=features, progress=kill)
    assert not (folder / "out").exists()
    with pytest.raises(InputError, match="another run"):
        prune(*arguments, folder / "out", Target("supermask", 0.6), plan, features=features)
    said = (folder / "captions.json").read_text()
    (folder / "captions.json").write_text(said.replace(CAPTIONS[0], CAPTIONS[1]))
    with pytest.raises(InputError, match="another run"):
        prune(*arguments, folder / "out", target, plan, features=features)
    (folder / "captions.json").write_text(said)
    resumed = prune(*arguments, folder / "out", target, plan, features=features)
    assert not list(folder.glob("*.state"))
    for name, tensor in whole.tensors.items():
        assert torch.equal(resumed.tensors[name], tensor), name


def test_a_damaged_state_is_an_error(folder: Path) -> None:
    (folder / "out.state").write_bytes(b"no state")
    with pytest.raises(InputError, match="state cannot be read"):
        prune(
            *(folder / "checkpoint", folder, folder / "out", Target("oneshot", 0.5), PLAN),
            features=folder / "features.npz",
        )


def test_an_existing_output_is_seen_before_training(folder: Path) -> None:
    (folder / "out").mkdir()
    with pytest.raises(InputError, match="exists"):
        prune(
            *(folder / "checkpoint", folder, folder / "out", Target("oneshot", 0.5), PLAN),
            features=folder / "features.npz",
            progress=lambda text: pytest.fail(text),
        )


def test_images_need_features(folder: Path) -> None:
    features = folder / "other.npz"
    np.savez(features, **{"0.att": np.ones((REGIONS, FEATURES), np.float32)})
    with pytest.raises(InputError, match=r"no features of 1\.jpg"):
        prune(
            *(folder / "checkpoint", folder, folder / "out", Target("oneshot", 0.5), PLAN),
            features=features,
        )
    assert not (folder / "out").exists()


def test_a_view_is_part_of_the_run_and_lacks_no_image(folder: Path) -> None:
    def pruned(out: str, *views: Path) -> torch.Tensor:
        checkpoint = prune(
            folder / "checkpoint",
            folder,
            folder / out,
            Target("oneshot", 0.5),
            PLAN,
            features=folder / "features.npz",
            views=views,
        )
        return checkpoint.tensors["logit.weight"]

    other, partial, fewer = (folder / f"{name}.npz" for name in ("other", "partial", "fewer"))
    with np.load(folder / "features.npz") as stored:
        np.savez(other, **{name: stored[name] + 1 for name in stored.files})
        np.savez(partial, **{name: stored[name] for name in stored.files[:3]})
        np.savez(fewer, **{name: stored[name][1:] for name in stored.files})
    assert not torch.equal(pruned("plain"), pruned("viewed", other))
    with pytest.raises(InputError, match=r"att is \[12, 4, 12\], not \[12, 5, 12\]"):
        pruned("fewer", fewer)
    with pytest.raises(InputError, match=r"no features of 3\.jpg"):
        pruned("partial", partial)
