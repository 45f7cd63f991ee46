"""`capexport compare`: two reports -> ratios, and which of them are more than noise."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from capexport.cli.options import AsJson, Debug
from capexport.cli.output import print_json, print_table

WORDS = {"more": "more", "less": "less", "same": "within noise"}


def compare(
    before: Annotated[Path, typer.Argument(help="Report of `capexport bench`.")],
    after: Annotated[Path, typer.Argument(help="Another one, of the same kind of device.")],
    fail_over: Annotated[
        float | None,
        typer.Option(
            "--fail-over", min=1, help="Exit 1 where a latency or count grew by more, beyond noise."
        ),
    ] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Compare two reports number by number.

    A latency is more or less only where the 95 % interval of the ratio of medians leaves 1 out;
    emulated counts where they change by more than 0.3 %.

    Example:

      capexport compare dense.json packed.json

      capexport compare yesterday.json today.json --fail-over 1.05
    """
    from capexport.bench import compare as ratios
    from capexport.bench import differences, fell_short, read_report

    first, second = read_report(before), read_report(after)
    found = ratios(first, second)
    short = fell_short(found, fail_over) if fail_over is not None else []
    notes = differences(first, second)
    if as_json:
        print_json(
            {
                "kind": first.kind,
                "comparisons": [{**asdict(one), "ratio": one.ratio} for one in found],
                "differences": notes,
                "fell_short": [f"{one.section}.{one.name}" for one in short],
            }
        )
    else:
        rows = [
            (
                f"{one.section}.{one.name}",
                f"{one.before:.4g}",
                f"{one.after:.4g}",
                f"{one.ratio:.3f}",
                f"{one.low:.3f} to {one.high:.3f}",
                WORDS[one.verdict],
            )
            for one in found
        ]
        print_table((first.kind, "before", "after", "ratio", "95 %", "after is"), rows)
        for note in notes:
            print(f"not the same: {note}")
        for one in short:
            print(f"fell short: {one.section}.{one.name} grew {one.ratio:.3f} times")
    if short:
        raise typer.Exit(1)
