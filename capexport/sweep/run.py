"""Cells -> reports in a folder: finished ones are kept, a failed one stops no other."""

import functools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from capexport.bench import Report, read_report, write_report
from capexport.errors import CapexportError
from capexport.export import export
from capexport.outputs import write_whole
from capexport.sweep.digests import cell_digest, model_digest
from capexport.sweep.suite import Cell, Model
from capexport.sweep.tables import tables
from capexport.sweep.task import Failure, Measure, Result, Task, failure, measure_here

BUNDLES, REPORTS = "bundles", "reports"
INDEX, TABLES = "sweep.json", "tables.md"

Results = list[tuple[Cell, Result]]


def sweep(
    cells: Sequence[Cell],
    out: Path,
    *,
    measure: Measure = measure_here,
    stage: Callable[[str], None] = lambda _: None,
) -> Results:
    """Measure what has not been measured, and write an index and tables of all.

    Args:
        out: folder of BUNDLES, REPORTS (one for each cell), INDEX and TABLES. What an earlier
            sweep left there is kept if nothing that it depends on has changed.
        measure: how, and where.
        stage: is told what begins.

    Returns:
        each cell with its result, in their order.
    """
    for name in (BUNDLES, REPORTS):
        (out / name).mkdir(parents=True, exist_ok=True)
    places = [_place(cell, out) for cell in cells]
    results: dict[int, Result] = {}
    for number, place in enumerate(places):
        if isinstance(place, Failure):
            results[number] = place
        elif place.exists():
            results[number] = read_report(place)

    @functools.cache
    def exported(model: Model) -> Path | Failure:
        return _exported(model, out / BUNDLES, stage)

    def tasks() -> Iterator[Task]:
        for number in [number for number in range(len(cells)) if number not in results]:
            bundle = exported(cells[number].model)
            if isinstance(bundle, Failure):
                results[number] = bundle
            else:
                stage(f"{number + 1} of {len(cells)}: {cells[number]}")
                yield Task(number, cells[number], bundle)

    try:
        for task, result in measure(tasks()):
            results[task.number] = result
            _keep(result, places[task.number])
    finally:  # an interrupted sweep shows what it finished
        _write_index(cells, places, results, out)
    return [(cell, results[number]) for number, cell in enumerate(cells)]


def _place(cell: Cell, out: Path) -> Path | Failure:
    """Of the cell's report."""
    try:
        return out / REPORTS / f"{cell_digest(cell)}.json"
    except (CapexportError, OSError) as error:
        return failure(error)


def _keep(result: Result, place: Path | Failure) -> None:
    """Write the report; that of an unfinished cell under a name that no later sweep reads."""
    if isinstance(place, Failure):
        return
    if isinstance(result, Report):
        write_report(result, place, force=True)
        _unfinished(place).unlink(missing_ok=True)
    elif result.unfinished:
        write_report(result.unfinished, _unfinished(place), force=True)


def _unfinished(place: Path) -> Path:
    return place.with_suffix(".unfinished.json")


def _exported(model: Model, bundles: Path, stage: Callable[[str], None]) -> Path | Failure:
    """The folder of the model's bundle, written if it is not there."""
    try:
        out = bundles / model_digest(model)
        if not out.exists():
            export(
                model.path,
                out,
                formats=model.formats,
                recipe=model.recipe,
                weights=model.weights,
                encoder=model.encoder,
                calibration=model.calibration,
                progress=lambda step: stage(f"{model.checkpoint}, {model.form}: {step}"),
            )
    except (CapexportError, OSError) as error:
        return failure(error)
    return out


def _write_index(
    cells: Sequence[Cell],
    places: Sequence[Path | Failure],
    results: Mapping[int, Result],
    out: Path,
) -> None:
    found = [(cells[number], results[number]) for number in sorted(results)]
    rows = [_row(cells[number], places[number], results[number]) for number in sorted(results)]
    write_whole(json.dumps({"cells": rows}, indent=1, ensure_ascii=False) + "\n", out / INDEX)
    write_whole(tables(found), out / TABLES)


def _row(cell: Cell, place: Path | Failure, result: Result) -> dict[str, Any]:
    row: dict[str, Any] = {
        "checkpoint": cell.model.checkpoint,
        "form": cell.model.form,
        "runtime": cell.runtime,
        "device": cell.device,
    }
    if isinstance(result, Report):
        assert isinstance(place, Path)
        return {**row, "report": f"{REPORTS}/{place.name}", "valid": result.valid}
    row["error"] = {"what": result.what, "where": result.where, "hint": result.hint}
    if result.unfinished and isinstance(place, Path):
        row["unfinished"] = f"{REPORTS}/{_unfinished(place).name}"
    return row
