"""`capexport regions`: a detector and pictures -> a features file with boxes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from capexport.cli.features import check_features_target
from capexport.cli.options import AsJson, Debug
from capexport.cli.output import print_json, print_table
from capexport.cli.progress import stages
from capexport.errors import InputError

if TYPE_CHECKING:
    from capexport.runtime import Features


def regions(
    detector: Annotated[Path, typer.Argument(help="Folder that `capexport detector` wrote.")],
    inputs: Annotated[
        list[Path], typer.Argument(metavar="PICTURE...", help="Pictures, or folders of them.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Features file (.npz) to write.")],
    runtime: Annotated[
        Literal["litert", "onnxruntime"], typer.Option("--runtime", help="What runs it.")
    ] = "litert",
    most: Annotated[int, typer.Option("--most", min=1, help="Regions of a picture.")] = 36,
    threads: Annotated[int, typer.Option("--threads", min=1, help="Threads to compute with.")] = 1,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing output.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Find the regions of pictures: the file that captioners of region features take.

    Example:

      capexport regions detector/ photo.jpg folder/ --out features.npz

      capexport caption bundle/ features.npz
    """
    from capexport.runtime import input_files, open_detector, save_features

    check_features_target(out, force)
    found: dict[str, Features] = {}
    with stages() as stage:
        opened = open_detector(detector, runtime, threads)
        for path in inputs:
            for file in input_files(path, opened.image):
                stage(f"{len(found)} pictures done")
                if file.name in found:
                    raise InputError(
                        "two pictures have one name",
                        where=str(file),
                        hint="the features file tells them apart by their names: rename one",
                    )
                found[file.name] = opened.regions(opened.read(file), most=most)
        save_features(out, found)
    counts = {name: len(features.att) for name, features in found.items()}
    if as_json:
        print_json({"out": str(out), "regions": counts})
        return
    print_table(("picture", "regions"), [(name, str(count)) for name, count in counts.items()])
