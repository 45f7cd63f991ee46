"""Outputs that appear whole or not at all, and replace nothing that is not of their kind."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from capexport.errors import CapexportError, InputError


def check_output(
    out: Path,
    *,
    force: bool,
    kind: str = "file",
    is_of_kind: Callable[[Path], bool] = Path.is_file,
    error: type[CapexportError] = InputError,
) -> None:
    """Raise `error` unless something may be written to `out`: call it before long work.

    Args:
        force: something of the same kind may be replaced.
        kind: of output, as the error names it.
        is_of_kind: whether what is at `out` may be replaced.
    """
    if not out.absolute().parent.is_dir():
        raise error(
            "the parent folder does not exist", where=str(out.parent), hint="create it first"
        )
    if not os.path.lexists(out):
        return
    if not force:
        raise error(
            "the output exists already", where=str(out), hint="choose another path or use --force"
        )
    if not is_of_kind(out):
        raise error(
            f"the output exists and is no {kind}: it is not replaced",
            where=str(out),
            hint="choose another path or remove it yourself",
        )


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """An empty folder to fill. It is moved to `out` when the block ends, and vanishes if it fails.

    Another folder at `out` is replaced in that moment; it survives every failure.
    """
    with TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as scratch:
        staged, aside = Path(scratch, "new"), Path(scratch, "old")
        staged.mkdir()
        yield staged
        if not os.path.lexists(out):
            staged.rename(out)
            return
        out.rename(aside)
        try:
            staged.rename(out)
        except OSError:
            aside.rename(out)
            raise


@contextmanager
def whole_file(out: Path) -> Iterator[Path]:
    """A path to write to, beside `out` and with its suffix. It is renamed when the block ends.

    The name is fixed, so that what a killed process left is overwritten by the next.
    """
    beside = out.with_name(f".new.{out.name}")
    try:
        yield beside
        beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)


def write_whole(text: str, out: Path) -> None:
    """Write UTF-8 to a file, whole or not at all; OSError where it cannot be written."""
    with whole_file(out) as beside:
        beside.write_text(text, encoding="utf-8")
