"""`capexport scenes`: a seed -> a data set of drawn pictures with true captions."""

from pathlib import Path
from typing import Annotated

import typer

from capexport.cli.options import AsJson, Debug
from capexport.cli.output import print_facts, print_json
from capexport.cli.progress import stages


def scenes(
    out: Annotated[Path, typer.Option("--out", help="Folder to write the data set to.")],
    images: Annotated[int, typer.Option("--images", min=0, help="Pictures to train on.")] = 8000,
    val: Annotated[int, typer.Option("--val", min=0, help="Pictures to calibrate on.")] = 100,
    test: Annotated[int, typer.Option("--test", min=0, help="Pictures to evaluate on.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", help="Of scenes, captions and pixels.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing output.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Draw pictures of coloured shapes, with five true captions each.

    What is in each picture is stored with it, so that any caption can be held against the truth.
    `train`, `prune` and `evaluate` read the folder by --data; images/val is for --calibration.

    Example:

      capexport scenes --out scenes/ --images 8000 --test 1000
    """
    from capexport.errors import InputError
    from capexport.scenes import write_scenes

    asked = {"train": images, "val": val, "test": test}
    counts = {split: count for split, count in asked.items() if count}
    if not counts:
        raise InputError("no picture is asked for", where="--images", hint="give a number above 0")
    with stages() as stage:
        write_scenes(out, counts, seed, force=force, progress=stage)
    if as_json:
        print_json({"out": str(out), "seed": seed, "images": counts})
        return
    numbers = ", ".join(f"{split} {count:,}" for split, count in counts.items())
    print_facts([("data set", str(out)), ("pictures", numbers), ("seed", str(seed))])
