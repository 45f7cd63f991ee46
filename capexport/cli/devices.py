"""`capexport devices`: what can be measured from here, and how to get the rest."""

from dataclasses import asdict
from typing import Annotated

import typer

from capexport.cli.options import AsJson, Debug
from capexport.cli.output import print_json, print_table
from capexport.cli.progress import stages


def devices(
    install: Annotated[
        list[str] | None,
        typer.Option("--install", help="Part to fetch, such as arm64-root; all for all of them."),
    ] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Show which devices `capexport bench` can use, and what each of the others lacks.

    Parts come from this machine's own Debian archive and package index, go into the user's cache,
    and need no root. What an interrupted fetch has got is kept.

    Example:

      capexport devices --install all

      capexport devices --json
    """
    from capexport.bench.devices.survey import install as fetch
    from capexport.bench.devices.survey import survey

    if install:
        with stages() as stage:
            for name in fetch(install):
                stage(f"fetching {name}")
    found = survey()
    if as_json:
        print_json([asdict(one) for one in found])
        return
    print_table(("device", "ready"), [(one.name, "yes" if one.ready else "no") for one in found])
    for lack in dict.fromkeys(lack for one in found for lack in one.lacks):
        names = [one.name for one in found if lack in one.lacks]
        print(f"{', '.join(names)}: {lack}")
