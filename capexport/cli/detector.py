"""`capexport detector`: a region detector's weights -> a folder that `capexport regions` runs."""

from pathlib import Path
from typing import Annotated

import typer

from capexport.cli.options import AsJson, Debug
from capexport.cli.output import print_json, print_table
from capexport.cli.progress import stages


def detector(
    weights: Annotated[Path, typer.Argument(help="State dictionary: mobilenet_v2 and two heads.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write the detector to.")],
    recipe: Annotated[
        str, typer.Option("--recipe", help="fp32, or static_wi8_ai8 with --calibration.")
    ] = "fp32",
    calibration: Annotated[
        Path | None,
        typer.Option("--calibration", help="Folder of typical pictures, for a static recipe."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing detector.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Write a region detector as .tflite and .onnx, which `regions` runs without torch.

    Example:

      capexport detector detector.pth --out detector/

      capexport detector detector.pth --out detector/ --recipe static_wi8_ai8 --calibration photos/
    """
    from capexport.export_detector import export_detector

    with stages() as stage:
        stage("exporting the detector")
        written = export_detector(weights, out, recipe=recipe, calibration=calibration, force=force)
    sizes = {file.name: file.stat().st_size for file in written.graphs.values()}
    if as_json:
        print_json({"detector": str(out), "recipe": recipe, "files": sizes})
        return
    print_table(("file", "bytes"), [(name, f"{size:,}") for name, size in sizes.items()])
