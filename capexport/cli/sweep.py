"""`capexport sweep`: a suite's file -> a report for each cell of its grid, and tables of all."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capexport.cli.options import AsJson, Debug
from capexport.cli.output import print_json
from capexport.cli.progress import stages
from capexport.errors import InputError

if TYPE_CHECKING:
    from capexport.sweep import Measure


def sweep(
    suite: Annotated[Path, typer.Argument(help="TOML: checkpoints, forms, runtimes, devices.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for bundles, reports and tables.")],
    variables: Annotated[
        list[str] | None,
        typer.Option("--set", help="NAME=PATH: what stands for $NAME in the suite's paths."),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option("--scheduler", help="Of a Dask cluster whose workers have the devices."),
    ] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Export and measure every combination that a suite asks for.

    A sweep that was interrupted goes on where it was: a finished cell is kept as long as nothing
    changes that it depends on. A cell that fails stops no other; it is listed at the end, with its
    error, and the exit status is 1, as it is where a caption is not the expected one.

    With --scheduler the cells are measured on a Dask cluster, whose workers name the devices that
    they have: dask worker ADDRESS --resources "adb:SERIAL=1".

    Example:

      capexport sweep benchmarks/suites/ucm.toml --out sweep/

      capexport sweep suite.toml --out sweep/ --set DATA=../data --scheduler tcp://host:8786
    """
    from capexport.sweep import Failure, measure_here, read_suite
    from capexport.sweep.run import INDEX, TABLES
    from capexport.sweep.run import sweep as measure_all

    cells = read_suite(suite, dict(_pair(text) for text in variables or []))
    if scheduler is None:
        where: AbstractContextManager[Measure] = nullcontext(measure_here)
    else:
        from capexport.sweep.cluster import cluster

        where = cluster(scheduler)
    with where as measure, stages() as stage:
        results = measure_all(cells, out, measure=measure, stage=stage)
    if as_json:
        print_json({"index": str(out / INDEX), "tables": str(out / TABLES)})
    else:
        print((out / TABLES).read_text(encoding="utf-8"), end="")
    failed = [
        one for _, one in results if isinstance(one, Failure) or not one.output["as_expected"]
    ]
    if failed:
        raise typer.Exit(1)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise InputError(f"{text!r} is no NAME=PATH", where="--set", hint="--set DATA=../data")
    return name, str(Path(value).absolute())  # a suite's own paths are relative to its file
