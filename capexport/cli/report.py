"""`capexport report`: reports of `bench` -> one self-contained HTML page with plots."""

from pathlib import Path
from typing import Annotated

import typer

from capexport.cli.options import AsJson, Debug
from capexport.cli.output import print_json


def report(
    reports: Annotated[
        list[Path], typer.Argument(help="Reports of `capexport bench`, any number.")
    ],
    html: Annotated[Path, typer.Option("--html", help="Page to write.")],
    force: Annotated[bool, typer.Option("--force", help="Replace an existing page.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Draw reports side by side: latency, memory, size, instruction counts, estimates.

    The page is one file without scripts that opens anywhere. Times, emulated counts and estimates
    never share a plot; a report that is not valid is marked, with its reasons.

    Example:

      capexport report report.json --html report.html

      capexport report dense.json packed.json emulated.json --html all.html
    """
    from capexport.bench import html_page, read_report
    from capexport.outputs import check_output, write_whole

    check_output(html, force=force)
    read = [read_report(path) for path in reports]
    write_whole(html_page(read), html)
    if as_json:
        valid = {str(path): one.valid for path, one in zip(reports, read, strict=True)}
        print_json({"html": str(html), "valid": valid})
    else:
        print(f"{html}: {len(read)} report{'s' * (len(read) != 1)}")
