"""`capexport evaluate`: a bundle and captioned images -> scores of its captions."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from capexport.cli.caption import Runtime, open_installed
from capexport.cli.options import AsJson, Debug
from capexport.cli.output import print_facts, print_json
from capexport.cli.progress import stages


def evaluate(
    bundle: Annotated[Path, typer.Argument(help="Bundle that `capexport export` wrote.")],
    data: Annotated[
        Path,
        typer.Option("--data", help="Captions file of Karpathy, COCO or Flickr, or its folder."),
    ],
    split: Annotated[str, typer.Option("--split", help="Images to caption; '': all.")] = "test",
    subset: Annotated[
        str, typer.Option("--set", help="Data set within a collection; default: all of them.")
    ] = "",
    features: Annotated[
        Path | None,
        typer.Option("--features", help="Features file, for a bundle without image encoder."),
    ] = None,
    tokenizer: Annotated[
        Literal["words", "ptb"],
        typer.Option("--tokenizer", help="ptb, which needs Java, is what papers on COCO use."),
    ] = "words",
    runtime: Annotated[
        Runtime | None,
        typer.Option("--runtime", help="Default: the bundle's first that is installed."),
    ] = None,
    beam: Annotated[
        int | None, typer.Option("--beam", min=1, help="Beam width; default: the bundle's.")
    ] = None,
    threads: Annotated[int, typer.Option("--threads", min=1, help="Threads to compute with.")] = 1,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Score a bundle's captions: BLEU, ROUGE-L, CIDEr-D, METEOR, and SPICE where it is installed.

    CIDEr-D depends on the set that it is computed on: compare only numbers of the same images and
    the same tokenizer.

    Example:

      capexport evaluate bundle/ --data ucm/ --split test

      capexport evaluate bundle/ --data dataset_coco.json --features coco.npz --tokenizer ptb --json
    """
    from capexport.bundle import open_bundle
    from capexport.evaluate.datasets import read_captions, select
    from capexport.evaluate.quality import evaluate as measure

    opened = open_bundle(bundle)
    images = select(read_captions(data), split, subset)
    with stages() as stage:
        stage("opening the bundle")
        result = measure(
            open_installed(opened, runtime, threads),
            opened.manifest.image,
            images,
            beam or opened.manifest.decoding.beam,
            features=features,
            tokenizer=tokenizer,
            progress=stage,
        )
    result = {"split": split, **result}
    if as_json:
        print_json(result)
        return
    low, high = result["cider_95"]
    print_facts(
        [
            ("images", str(result["images"])),
            *((name, f"{value:.4f}") for name, value in result["metrics"].items()),
            ("", f"CIDEr-D lies between {low:.3f} and {high:.3f} (95 %, images drawn again)"),
            *((name, f"skipped: {reason}") for name, reason in result["skipped"].items()),
        ]
    )
