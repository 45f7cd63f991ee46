"""`capexport train`: a recipe and captioned images -> a checkpoint."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from capexport.cli.options import AsJson, Debug
from capexport.cli.output import print_facts, print_json
from capexport.cli.progress import stages


def train(
    recipe: Annotated[Path, typer.Argument(help="TOML file: architecture, sizes, words, plan.")],
    data: Annotated[
        Path,
        typer.Option("--data", help="Captions file of Karpathy, COCO or Flickr, or its folder."),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder to write the checkpoint to.")],
    encoder: Annotated[
        str | None,
        typer.Option("--encoder", help="Frozen image encoder's weights: PATH, or NAME:PATH."),
    ] = None,
    features: Annotated[
        Path | None, typer.Option("--features", help="Features file of all images, instead.")
    ] = None,
    split: Annotated[str, typer.Option("--split", help="Images to train on; '': all.")] = "train",
    subset: Annotated[
        str, typer.Option("--set", help="Data set within a collection; default: all of them.")
    ] = "",
    held_out: Annotated[
        str, typer.Option("--held-out", help="Split that patience judges by.")
    ] = "val",
    device: Annotated[Literal["cpu", "cuda"], typer.Option("--device", help="Train on.")] = "cpu",
    storage: Annotated[
        Literal["float32", "float16", "int8"],
        typer.Option("--storage", help="Matrices in the file."),
    ] = "float32",
    force: Annotated[bool, typer.Option("--force", help="Replace an existing output.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Train a captioner from random weights.

    Its image encoder is trained with it where the recipe names one; otherwise features come from a
    frozen --encoder or from --features. A run that was interrupted goes on when the command is
    given again. models/scenes/recipe.toml is an example of a recipe.

    Example:

      capexport train recipe.toml --data scenes/ --out checkpoint/
    """
    from capexport.prune.from_recipe import train_recipe

    with stages() as stage:
        result = train_recipe(
            recipe,
            data,
            out,
            encoder=encoder,
            features=features,
            split=split,
            subset=subset,
            held_out=held_out,
            device=device,
            storage=storage,
            force=force,
            progress=stage,
        )
    if as_json:
        print_json(
            {
                "out": str(out),
                "architecture": result.architecture,
                "parameters": result.parameters,
                "words": len(result.vocabulary),
                "storage": storage,
                "bytes": result.bytes_on_disk,
            }
        )
        return
    print_facts(
        [
            ("checkpoint", str(out)),
            ("architecture", result.architecture),
            ("parameters", f"{result.parameters:,}"),
            ("words", f"{len(result.vocabulary):,}"),
            ("bytes", f"{result.bytes_on_disk:,} ({storage})"),
        ]
    )
