"""One cell with its bundle -> a report, or why there is none; here or on another machine."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from capexport.bench import Report, UnfinishedError, bench
from capexport.bundle import open_bundle
from capexport.errors import CapexportError
from capexport.sweep.digests import versions
from capexport.sweep.suite import Cell


@dataclass(frozen=True)
class Failure:
    """Why a cell has no report; the three lines of a CapexportError, which cannot be pickled.

    Args:
        unfinished: of the rounds before the device failed.
    """

    what: str
    where: str
    hint: str
    unfinished: Report | None = None


Result = Report | Failure


@dataclass(frozen=True)
class Task:
    """A cell that is to be measured, its place in the sweep, and the folder of its bundle."""

    number: int
    cell: Cell
    bundle: Path


Measure = Callable[[Iterable[Task]], Iterator[tuple[Task, Result]]]
"""Measures tasks as they come, each giving one result, in any order."""


def measure_here(tasks: Iterable[Task]) -> Iterator[tuple[Task, Result]]:
    """One after the other, in this process."""
    for task in tasks:
        yield task, measured(task.cell, task.bundle, task.cell.photo)


def measured(cell: Cell, folder: Path, photo: Path | None) -> Result:
    """Whatever a device, a bundle or a disk can do wrong is a Failure."""
    try:
        bundle = open_bundle(folder)
        settings = cell.settings_for(bundle.manifest.decoding.beam)
        return bench(bundle, cell.device, settings, photo=photo)
    except (CapexportError, OSError) as error:
        return failure(error)


def failure(error: CapexportError | OSError) -> Failure:
    """An OSError is taken for one of reading or writing a file."""
    if isinstance(error, CapexportError):
        unfinished = error.report if isinstance(error, UnfinishedError) else None
        return Failure(error.what, error.where, error.hint, unfinished)
    return Failure(
        error.strerror or str(error), str(error.filename), "check the path and the disk's space"
    )


def read_files(folder: Path) -> dict[str, bytes]:
    """A bundle's files by name."""
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def measured_elsewhere(
    cell: Cell, files: Mapping[str, bytes], photo: bytes | None, asked_with: Mapping[str, str]
) -> Result:
    """`measured` on a machine that shares no disk with the one that asks.

    Args:
        files: of the bundle.
        photo: what `cell.photo` holds.
        asked_with: `versions` of who asks: others would measure something else.
    """
    for name, version in versions(cell.runtime).items():
        if version != asked_with[name]:
            what = f"the worker has another version of {name}"
            return Failure(what, cell.device, "install the same one on all machines")
    try:
        with tempfile.TemporaryDirectory() as folder:
            bundle = Path(folder, "bundle")
            bundle.mkdir()
            for name, content in files.items():
                (bundle / name).write_bytes(content)
            given = None
            if cell.photo is not None and photo is not None:
                given = Path(folder, cell.photo.name)
                given.write_bytes(photo)
            return measured(cell, bundle, given)
    except OSError as error:
        return failure(error)
