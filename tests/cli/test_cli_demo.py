"""`capexport demo` on the shipped model: every step runs, and the captions are mostly true."""

import json
from pathlib import Path

from typer.testing import CliRunner

from capexport.bundle import open_bundle
from capexport.cli import VERBS, app


def test_every_step_is_a_command_and_ends_well(tmp_path: Path) -> None:
    arguments = ["demo", "--out", str(tmp_path / "demo"), "--images", "8", "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    verbs = [step["command"].split()[1] for step in document["commands"]]
    assert verbs == ["scenes", "inspect", "export", "verify", "caption", "caption", "evaluate"]
    assert set(verbs) <= set(VERBS)
    *_, verified, litert, onnxruntime, _ = (step["result"] for step in document["commands"])
    assert verified["ok"]
    assert [one["caption"] for one in litert] == [one["caption"] for one in onnxruntime]
    assert 0.5 < document["truth"]["true"] <= 1
    assert open_bundle(tmp_path / "demo" / "bundle").manifest.weights == "packed"


def test_without_the_model_it_says_where_it_looked(tmp_path: Path) -> None:
    arguments = ["demo", "--out", str(tmp_path / "demo"), "--model", str(tmp_path)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert f"where: {tmp_path}" in result.stderr
    assert not (tmp_path / "demo").exists()


def test_an_existing_folder_is_left_alone(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["demo", "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert "exists already" in result.stderr


def test_a_step_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """A checkpoint that cannot be read: `inspect`, the second command, refuses it."""
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    arguments = ["demo", "--out", str(tmp_path / "demo"), "--model", str(model), "--images", "1"]
    assert CliRunner().invoke(app, arguments).exit_code == 1
    assert list(tmp_path.iterdir()) == [model]
