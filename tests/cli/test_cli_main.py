"""The rules that hold for every verb: help, exit status, three lines, nothing heavy imported."""

import errno
import subprocess
import sys
from collections.abc import Callable

import pytest

import capexport.bundle
import capexport.checkpoint
from capexport import __version__
from capexport.cli import VERBS, main
from capexport.cli.failure import EXTRAS
from capexport.errors import CheckpointError

HEAVY = ("PIL", "numpy", "onnx", "onnxruntime", "ai_edge_litert", "rich", "torch")
DAMAGED = CheckpointError("the file\nis damaged", where="model.pth", hint="copy it again")


def raising(error: Exception) -> Callable[..., None]:
    def read(*args: object, **kwargs: object) -> None:
        raise error

    return read


def three_lines(text: str) -> dict[str, str]:
    """Check the form of an error and return what stands behind each label."""
    lines = text.splitlines()
    assert len(lines) == 3
    labels, values = zip(*(line.split(": ", 1) for line in lines), strict=True)
    assert labels == ("error", "  where", "  hint")
    return dict(zip(("error", "where", "hint"), values, strict=True))


def test_importing_the_command_line_imports_nothing_heavy() -> None:
    script = f"import sys, capexport.cli; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"capexport {__version__}\n"


def test_help_lists_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    for verb in VERBS:
        assert f"\n  {verb} " in shown


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb_has_an_example_and_the_common_options(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([verb, "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"Example:\n\n    capexport {verb} " in shown
    assert "--json" in shown
    assert "--debug" in shown


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["inspect"], "Missing argument"),
        (["inspect", "x", "--no-such-option"], "No such option: --no-such-option"),
        (["no-such-verb"], "No such command 'no-such-verb'"),
        (["export", "checkpoint"], "Missing option '--out'"),
        (["export", "checkpoint", "--out", "b", "--format", "pb"], "'pb' is not one of"),
        (["caption", "bundle"], "Missing argument"),
        (["caption", "bundle", "f.npz", "--beam", "0"], "Invalid value for '--beam'"),
        (["verify", "c", "b", "--min-identical", "1.5"], "Invalid value for '--min-identical'"),
        ([], "Missing command"),
    ],
)
def test_wrong_usage_is_status_2_and_three_lines(
    arguments: list[str], what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    error = three_lines(captured.err)
    assert what in error["error"]
    assert error["hint"].endswith("--help")


def test_an_expected_error_is_status_1_and_three_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(capexport.checkpoint, "read_checkpoint", raising(DAMAGED))
    assert main(["inspect", "somewhere", "--json"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert three_lines(captured.err) == {
        "error": "the file is damaged",
        "where": "model.pth",
        "hint": "copy it again",
    }


def test_debug_adds_the_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(capexport.checkpoint, "read_checkpoint", raising(DAMAGED))
    assert main(["inspect", "somewhere", "--debug"]) == 1
    shown = capsys.readouterr().err
    assert "Traceback (most recent call last)" in shown
    three_lines("\n".join(shown.splitlines()[-3:]))


@pytest.mark.parametrize(("package", "extra"), EXTRAS.items())
def test_a_missing_package_names_the_extra_that_installs_it(
    package: str, extra: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = ModuleNotFoundError(f"No module named '{package}'", name=f"{package}.part")
    monkeypatch.setattr(capexport.checkpoint, "read_checkpoint", raising(missing))
    assert main(["inspect", "somewhere"]) == 1
    error = three_lines(capsys.readouterr().err)
    assert error["error"] == f"the Python package {package} is not installed"
    assert error["hint"] == f"pip install 'capexport[{extra}]'"


def test_a_package_that_is_not_optional_is_a_fault_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = ModuleNotFoundError("No module named 'capexprot'", name="capexprot")
    monkeypatch.setattr(capexport.checkpoint, "read_checkpoint", raising(missing))
    with pytest.raises(ModuleNotFoundError):
        main(["inspect", "somewhere"])


def test_a_fault_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capexport.checkpoint, "read_checkpoint", raising(KeyError("h")))
    with pytest.raises(KeyError):
        main(["inspect", "somewhere"])


def test_an_error_of_the_file_system_names_the_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "bundle/encoder.onnx")
    monkeypatch.setattr(capexport.checkpoint, "read_checkpoint", raising(full))
    assert main(["inspect", "somewhere"]) == 1
    error = three_lines(capsys.readouterr().err)
    assert (error["error"], error["where"]) == ("No space left on device", "bundle/encoder.onnx")


def test_a_reader_that_has_gone_is_no_error_message() -> None:
    """As in `capexport --help | true`: the status tells, stderr stays empty."""
    process = subprocess.Popen(
        [sys.executable, "-c", "import sys, capexport.cli as c; sys.exit(c.main(['--help']))"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    _, shown = process.communicate()
    assert (process.returncode, shown) == (1, b"")


def test_a_reader_that_goes_while_a_verb_writes_is_no_error_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = BrokenPipeError(errno.EPIPE, "Broken pipe")
    monkeypatch.setattr(capexport.checkpoint, "read_checkpoint", raising(gone))
    with pytest.raises(SystemExit, match="1"):
        main(["inspect", "somewhere"])
    assert capsys.readouterr().err == ""
