"""`capexport features`: captioned images -> a features file, for many runs of `prune`."""

from pathlib import Path
from typing import Annotated

import typer

from capexport.cli.options import AsJson, Debug
from capexport.cli.output import print_facts, print_json
from capexport.cli.progress import stages
from capexport.errors import InputError
from capexport.outputs import check_output


def features(
    data: Annotated[
        Path, typer.Argument(help="Captions file of Karpathy, COCO or Flickr, or its folder.")
    ],
    encoder: Annotated[
        str, typer.Option("--encoder", help="Image encoder's weights: PATH, or NAME:PATH.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Features file (.npz) to write.")],
    split: Annotated[str, typer.Option("--split", help="Images to encode; default: all.")] = "",
    subset: Annotated[
        str, typer.Option("--set", help="Data set within a collection; default: all of them.")
    ] = "",
    calibration: Annotated[
        Path | None,
        typer.Option("--calibration", help="Folder of pictures: features as in static int8."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing output.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Encode all pictures of a data set once; `prune`, `train` and `evaluate` take the file.

    With --calibration they are what the encoder of a bundle in static int8 gives, for `prune
    --view`: a captioner that learns from both says the same of both more often.

    Example:

      capexport features ucm/ --encoder mobilenet_v2.npz --out ucm.npz

      capexport features ucm/ --encoder mobilenet_v2.npz --calibration photos/ --out int8.npz
    """
    from capexport.evaluate.datasets import read_captions, select
    from capexport.prune.features import write_features

    check_features_target(out, force)
    images = select(read_captions(data), split, subset)
    with stages() as stage:
        regions, width = write_features(images, encoder, out, stage, calibration)
    if as_json:
        print_json({"out": str(out), "images": len(images), "regions": regions, "width": width})
        return
    print_facts(
        [
            ("features", str(out)),
            ("images", f"{len(images)}, {regions} regions of {width} numbers each"),
        ]
    )


def check_features_target(out: Path, force: bool) -> None:
    """InputError unless a features file may be written to `out`: call it before long work."""
    if out.suffix != ".npz":
        raise InputError("a features file ends in .npz", where=str(out), hint="rename the output")
    check_output(out, force=force)
