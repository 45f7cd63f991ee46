"""A suite's TOML file -> the cells of its grid: checkpoint x form x runtime x device."""

import string
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from capexport.bench import Settings
from capexport.bundle.layout import GRAPH_SUFFIXES
from capexport.errors import InputError

FORMATS = {runtime: suffix.removeprefix(".") for runtime, suffix in GRAPH_SUFFIXES.items()}
"""Of graph files, by the runtime that opens them."""
TOP = {"devices", "runtimes", "settings", "checkpoints", "forms"}
KINDS = {str: "strings", int: "numbers", dict: "tables"}
"""Of TOML's values, as errors call them."""
SETTINGS = {"beam": "beam", "threads": "threads", "rounds": "rounds", "runs": "samples"}
"""As `capexport bench` calls them -> as Settings does."""


@dataclass(frozen=True)
class Model:
    """What becomes a bundle.

    Args:
        checkpoint, form: their names in the suite.
        path: of the checkpoint.
        recipe, weights, encoder, calibration: as `capexport.export.export` takes them.
        formats: of graph files: those of the suite's runtimes.
    """

    checkpoint: str
    form: str
    path: Path
    recipe: str
    weights: str
    encoder: str | None
    calibration: Path | None
    formats: tuple[str, ...]


@dataclass(frozen=True)
class Cell:
    """One measurement.

    Args:
        photo: a picture or features file; None makes one up.
        settings: fields of `Settings` by name; without a beam the bundle's own counts.
    """

    model: Model
    runtime: str
    device: str
    photo: Path | None
    settings: Mapping[str, Any]

    def settings_for(self, beam: int) -> Settings:
        """All of them, with the bundle's own `beam` where the suite says none."""
        return Settings(self.runtime, **{"beam": beam, **self.settings})

    def __str__(self) -> str:
        return f"{self.model.checkpoint}, {self.model.form}, {self.runtime}, {self.device}"


def read_suite(path: Path, variables: Mapping[str, str]) -> list[Cell]:
    """The cells in the file's order, those of one bundle together.

    Args:
        variables: what stands for `$NAME` in a path; other paths are relative to the file.

    Raises:
        InputError: it cannot be read, or says what no suite says.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _wrong(path, f"the suite cannot be read: {error}") from error
    try:
        return list(_cells(document, _Paths(path.parent, variables)))
    except KeyError as error:
        raise _wrong(path, f"{error} is missing") from error
    except ValueError as error:
        raise _wrong(path, str(error)) from error


@dataclass(frozen=True)
class _Paths:
    folder: Path
    variables: Mapping[str, str]

    def filled(self, text: str) -> str:
        try:
            return string.Template(text).substitute(self.variables)
        except KeyError as error:
            raise InputError(
                f"nothing stands for ${error.args[0]}",
                where=text,
                hint=f"--set {error.args[0]}=PATH",
            ) from error

    def optional(self, text: str | None) -> Path | None:
        return None if text is None else self.folder / self.filled(text)

    def encoder(self, text: str | None) -> str | None:
        """`PATH` or `NAME:PATH`."""
        if text is None:
            return None
        name, colon, path = self.filled(text).rpartition(":")
        return f"{name}{colon}{self.folder / path}"


def _cells(document: Mapping[str, Any], paths: _Paths) -> Iterator[Cell]:
    _known(document, TOP, "the suite", object)
    runtimes, devices = _listed(document, "runtimes", str), _listed(document, "devices", str)
    _known(dict.fromkeys(runtimes), set(FORMATS), "runtimes", object)
    forms = _listed(document, "forms", dict)
    settings = document.get("settings", {})
    _known(settings, set(SETTINGS), "settings", int)
    settings = {SETTINGS[name]: value for name, value in settings.items()}
    Settings(runtimes[0], **{"beam": 1, **settings})  # out of range is an error now, not in a cell
    formats = tuple(FORMATS[runtime] for runtime in runtimes)
    checkpoints = document["checkpoints"]
    _typed(checkpoints, "checkpoints", dict)
    for name, checkpoint in checkpoints.items():
        _known(checkpoint, {"path", "encoder", "calibration", "input"}, f"checkpoints.{name}", str)
        photo = paths.optional(checkpoint.get("input"))
        for form in forms:
            model = _model(name, checkpoint, form, formats, paths)
            for runtime, device in product(runtimes, devices):
                yield Cell(model, runtime, device, photo, settings)


def _model(
    name: str,
    checkpoint: Mapping[str, Any],
    form: Mapping[str, Any],
    formats: tuple[str, ...],
    paths: _Paths,
) -> Model:
    _known(form, {"name", "recipe", "weights"}, "forms", str)
    path = paths.folder / paths.filled(checkpoint["path"])
    return Model(
        checkpoint=name,
        form=form["name"],
        path=path,
        recipe=form["recipe"],
        weights=form.get("weights", "auto"),
        encoder=paths.encoder(checkpoint.get("encoder")),
        calibration=paths.optional(checkpoint.get("calibration")),
        formats=formats,
    )


def _listed(document: Mapping[str, Any], name: str, kind: type) -> list[Any]:
    """One or more values of a kind."""
    items = document[name]
    if not (isinstance(items, list) and items and all(isinstance(item, kind) for item in items)):
        raise ValueError(f"{name} is no list of {KINDS[kind]}, or an empty one")
    return items


def _typed(given: Any, where: str, kind: type) -> None:
    """Raise ValueError unless it is a table with values of a kind."""
    if not isinstance(given, dict):
        raise ValueError(f"{where} is no table")
    if wrong := [name for name, value in given.items() if not isinstance(value, kind)]:
        raise ValueError(f"{where}: {wrong[0]} is none of the {KINDS[kind]}")


def _known(given: Any, names: set[str], where: str, kind: type) -> None:
    """Raise ValueError unless it is a table of such names, with values of a kind."""
    _typed(given, where, kind)
    if unknown := [name for name in given if name not in names]:
        raise ValueError(f"{where} has {unknown[0]!r}, which is none of {', '.join(sorted(names))}")


def _wrong(path: Path, what: str) -> InputError:
    return InputError(what, where=str(path), hint="benchmarks/suites has suites to go by")
