"""Outputs appear whole or not at all; what is not of their kind is not replaced."""

from pathlib import Path

import pytest

from capexport.errors import BundleError, InputError
from capexport.outputs import check_output, whole_file, whole_folder, write_whole


class StoppedError(Exception):
    """What a test fails a block with."""


def fill(out: Path, text: str, *, fail: bool = False) -> None:
    with whole_folder(out) as staged:
        (staged / "a.txt").write_text(text)
        if fail:
            raise StoppedError


def test_a_folder_appears_and_is_replaced(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for text in ("first", "second"):
        fill(out, text)
        assert (out / "a.txt").read_text() == text
    assert list(tmp_path.iterdir()) == [out]


def test_a_folder_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(StoppedError):
        fill(out, "first", fail=True)
    assert list(tmp_path.iterdir()) == []
    fill(out, "first")
    with pytest.raises(StoppedError):
        fill(out, "second", fail=True)
    assert (out / "a.txt").read_text() == "first"
    assert list(tmp_path.iterdir()) == [out]


def test_a_folder_that_cannot_be_moved_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    fill(out, "first")
    rename = Path.rename

    def fail_for_the_new_one(self: Path, target: Path) -> Path:
        if self.name == "new":
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_for_the_new_one)
    with pytest.raises(OSError, match="No space left"):
        fill(out, "second")
    assert (out / "a.txt").read_text() == "first"


def test_a_file_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    out = tmp_path / "out.txt"
    write_whole("first\n", out)

    def fail() -> None:
        with whole_file(out) as beside:
            assert beside.suffix == ".txt"
            beside.write_text("sec")
            raise StoppedError

    with pytest.raises(StoppedError):
        fail()
    assert out.read_bytes() == b"first\n"
    assert list(tmp_path.iterdir()) == [out]


def test_what_a_killed_process_left_is_overwritten(tmp_path: Path) -> None:
    with whole_file(tmp_path / "out.txt") as beside:
        beside.write_text("")
    beside.write_text("half")
    write_whole("whole", tmp_path / "out.txt")
    assert [file.name for file in tmp_path.iterdir()] == ["out.txt"]


def test_a_target_is_checked_by_its_parent_force_and_kind(tmp_path: Path) -> None:
    there = tmp_path / "there"
    check_output(there, force=False)
    with pytest.raises(InputError, match="the parent folder does not exist"):
        check_output(there / "file", force=True)
    there.write_text("")
    with pytest.raises(InputError, match="exists already"):
        check_output(there, force=False)
    check_output(there, force=True)
    with pytest.raises(BundleError, match="is no bundle: it is not replaced"):
        check_output(there, force=True, kind="bundle", is_of_kind=Path.is_dir, error=BundleError)


@pytest.mark.parametrize("kind", ["folder", "dangling link"])
def test_a_file_replaces_files_only(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "out"
    if kind == "folder":
        out.mkdir()
    else:
        out.symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match="is no file: it is not replaced"):
        check_output(out, force=True)
