"""The verbs one after the other on a small random checkpoint, with nothing replaced."""

import json
from pathlib import Path

import pytest
from checkpoints import write_features, write_up_down

from capexport.cli import main
from capexport.runtime import RUNTIMES


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with checkpoint/, features.npz and the fp32 bundle made of them."""
    folder = tmp_path_factory.mktemp("whole_line")
    write_up_down(folder / "checkpoint")
    write_features(folder / "features.npz")
    arguments = ["export", str(folder / "checkpoint"), "--out", str(folder / "bundle")]
    assert main([*arguments, "--recipe", "fp32"]) == 0
    return folder


def test_the_runtimes_caption_alike(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    captions = []
    for runtime in RUNTIMES:
        arguments = ["caption", str(folder / "bundle"), str(folder / "features.npz"), "--json"]
        assert main([*arguments, "--runtime", runtime]) == 0
        captions.append([record["tokens"] for record in json.loads(capsys.readouterr().out)])
    assert captions[0] == captions[1]
    assert all(captions[0])


def test_the_bundle_verifies_against_its_checkpoint(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["verify", str(folder / "checkpoint"), str(folder / "bundle")]
    assert main([*arguments, "--inputs", str(folder / "features.npz"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] is True
    assert set(document["runtimes"]) == set(RUNTIMES)
    for report in document["runtimes"].values():
        assert report["captions_identical"] == report["captions_total"] > 0


def test_the_bundle_can_be_inspected(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(folder / "bundle"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["recipe"] == {"encoder": "fp32", "decoder": "fp32"}
    assert main(["inspect", str(folder / "checkpoint"), "--json"]) == 0
    checkpoint = json.loads(capsys.readouterr().out)
    for key in ("parameters", "nnz", "sparsity", "size_bound_bytes", "layers"):
        assert document[key] == checkpoint[key]
    for counts in document["provenance"]["graphs"].values():
        assert counts["nnz"] > counts["rounded_to_zero"] == 0


def test_a_weight_form_that_does_not_fit_is_refused_and_leaves_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder / "packed"
    arguments = ["export", str(folder / "checkpoint"), "--out", str(out), "--weights", "packed"]
    assert main([*arguments, "--recipe", "fp32"]) == 1
    assert "packed" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("verb", ["caption", "verify"])
def test_features_of_another_width_are_an_error_in_three_lines(
    verb: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    narrow = write_features(tmp_path / "narrow.npz", features=7, region_counts=(3,))
    bundle = str(folder / "bundle")
    arguments = {
        "caption": [bundle, str(narrow)],
        "verify": [str(folder / "checkpoint"), bundle, "--inputs", str(narrow)],
    }
    assert main([verb, *arguments[verb]]) == 1
    shown = capsys.readouterr().err.splitlines()
    assert len(shown) == 3
    assert "att must be float32 [regions, 24], it is float32 [3, 7]" in shown[0]


def test_a_checkpoint_with_other_words_is_another_model(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = write_up_down(tmp_path / "checkpoint")
    words = other / "tokenizer" / "word.vocab"
    words.write_text(words.read_text().replace("baba", "dada"))
    assert main(["verify", str(other), str(folder / "bundle")]) == 1
    assert "its vocabulary differs" in capsys.readouterr().err
