"""The table that checkpoints are chosen by says what the captioner says over each features file."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from random_checkpoints import random_checkpoint

from capexport.captioner import build_captioner
from capexport.captioner.search import beam_search
from capexport.checkpoint import read_checkpoint, write_checkpoint
from capexport.evaluate.metrics import cider, paired_difference
from capexport.runtime.features import Features, save_features
from models.over_features import main

IMAGES = [f"{n}.png" for n in range(12)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Features in two versions, half of the images alike; checkpoints; captions of the first."""
    random = np.random.default_rng(0)
    first = {n: random.standard_normal((3, 20)).astype(np.float32) for n in IMAGES}
    second = {n: -att if int(n[:-4]) % 2 else att for n, att in first.items()}
    for name, images in (("float.npz", first), ("int8.npz", second)):
        save_features(tmp_path / name, {n: Features(a, a.mean(0)) for n, a in images.items()})
    model = random_checkpoint("att2in2")
    louder = {n: 3 * t if n == "logit.weight" else t for n, t in model.tensors.items()}
    write_checkpoint(tmp_path / "model", model)
    write_checkpoint(tmp_path / "louder", replace(model, tensors=louder))
    records = [
        {"set": "noise", "split": "val", "file": name, "captions": ["w3 w7 w9", "w3 w1", text]}
        for name, text in said(tmp_path / "model", tmp_path / "float.npz").items()
    ]
    (tmp_path / "captions.json").write_text(json.dumps({"images": records}))
    return tmp_path


def said(path: Path, features: Path) -> dict[str, str]:
    """By beam search of width 1 on arrays as they lie in the file."""
    captioner = build_captioner(read_checkpoint(path))
    texts = {}
    with np.load(features) as arrays, torch.no_grad():
        for name in IMAGES:
            att = torch.from_numpy(arrays[f"{name}.att"])
            given = {"att": att, "fc": att.mean(0, keepdim=True)}
            inputs = [given[spec.name] for spec in captioner.signature.inputs]
            tokens = beam_search(captioner, 1, *inputs)[0].tokens
            texts[name] = captioner.vocabulary.text(tokens, captioner.decoding)
    return texts


def table(folder: Path, capsys: pytest.CaptureFixture[str], *options: str) -> list[list[str]]:
    models = [str(folder / name) for name in ("model", "louder")]
    features = ["--features", str(folder / "float.npz"), "--set", "noise"]
    main([str(folder), *models, *features, *options])
    lines = capsys.readouterr().out.strip().splitlines()[-2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_figures_are_those_of_the_captions(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = table(folder, capsys, "--int8", str(folder / "int8.npz"))
    records = json.loads((folder / "captions.json").read_text())["images"]
    references = {record["file"]: record["captions"] for record in records}
    first = None
    for row, name in zip(rows, ("model", "louder"), strict=True):
        texts, others = (said(folder / name, folder / f) for f in ("float.npz", "int8.npz"))
        scores = cider(texts, references)
        first = scores if first is None else first
        same = sum(texts[image] == others[image] for image in IMAGES)
        difference, error = paired_difference(scores, first)
        assert 6 <= same < len(IMAGES)
        assert row == [
            name,
            "0.0%",
            f"{scores.mean():.3f}",
            f"{cider(others, references).mean():.3f}",
            f"{same / len(IMAGES):.1%}",
            f"{difference:+.3f} ± {error:.3f}",
        ]
    assert rows[1][-1] != "+0.000 ± 0.000"


def test_without_int8_features_two_cells_are_empty(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [row[3:5] for row in table(folder, capsys)] == [["", ""], ["", ""]]
