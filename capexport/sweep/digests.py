"""What a bundle or a measurement depends on -> a digest that names its result."""

import functools
import hashlib
import json
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import capexport
from capexport.bench.devices.parts import LLVM
from capexport.bench.run import PACKAGES
from capexport.errors import InputError
from capexport.sweep.suite import Cell, Model

SOURCES = {".py", ".c", ".h", ".inc"}
LETTERS = 16


def model_digest(model: Model) -> str:
    """Of the checkpoint's, encoder's and calibration files, the recipe, and this program.

    Raises:
        InputError: one of the files is not there.
    """
    encoder = [Path(model.encoder.rpartition(":")[2])] if model.encoder else []
    calibration = [model.calibration] if model.calibration else []
    files = [contents(path) for path in (model.path, *encoder, *calibration)]
    name = model.encoder.rpartition(":")[0] if model.encoder else ""
    return _digest([files, name, model.recipe, model.weights, model.formats, program_digest()])


def cell_digest(cell: Cell) -> str:
    """Of its bundle, input, settings and device, the runtime's version, and this program."""
    photo = contents(cell.photo) if cell.photo else ""
    estimated = LLVM.is_there and cell.device.startswith("qemu")
    given = [
        model_digest(cell.model),
        photo,
        versions(cell.runtime),
        cell.device,
        cell.settings,
        estimated,
    ]
    return _digest(given)


def versions(runtime: str) -> dict[str, str]:
    """Of what measures a bundle in a runtime on this machine, by the package's name."""
    package = PACKAGES[runtime]
    return {"capexport": program_digest(), package: _installed(package)}


def _installed(package: str) -> str:
    """Its version on this machine; a cell whose runtime is missing fails when it is measured."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


@functools.cache
def program_digest() -> str:
    """Of capexport's own sources, C included."""
    folder = Path(capexport.__file__).parent
    return _of_files(folder, (f for f in folder.rglob("*") if f.suffix in SOURCES))


@functools.cache
def contents(path: Path) -> str:
    """Of a file, or of all files of a folder with their names; read once in a run."""
    if path.is_file():
        return _of_files(path.parent, [path])
    if not path.is_dir():
        raise InputError("there is no such file", where=str(path), hint="check the suite's paths")
    return _of_files(path, (file for file in path.rglob("*") if file.is_file()))


def _of_files(folder: Path, files: Iterable[Path]) -> str:
    found = {}
    for file in sorted(files):
        with file.open("rb") as opened:
            found[str(file.relative_to(folder))] = hashlib.file_digest(opened, "sha256").hexdigest()
    return _digest(found)


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:LETTERS]
