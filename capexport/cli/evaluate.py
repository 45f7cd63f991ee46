"""`capexport evaluate`: a bundle and captioned images -> scores of its captions."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from capexport.cli.caption import Runtime, open_installed
from capexport.cli.options import AsJson, Debug
from capexport.cli.output import print_facts, print_json, print_table
from capexport.cli.progress import stages
from capexport.errors import InputError


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
    checkpoint: Annotated[
        Path | None,
        typer.Option("--checkpoint", help="What the bundle was made of: compares with PyTorch."),
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option("--encoder", help="Image encoder of the export: PATH, or NAME:PATH."),
    ] = None,
    layers: Annotated[
        bool, typer.Option("--layers", help="With --checkpoint: the error of each layer, too.")
    ] = False,
    calibration: Annotated[
        Path | None,
        typer.Option("--calibration", help="Pictures of the export, for --layers of a static one."),
    ] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Score a bundle's captions: BLEU, ROUGE-L, CIDEr-D, METEOR, and SPICE where it is installed.

    CIDEr-D depends on the set that it is computed on: compare only numbers of the same images and
    the same tokenizer.

    With its checkpoint, every runtime of the bundle is compared with the float captioner in PyTorch
    on the same images: paired difference of CIDEr-D, captions that differ, and at which step.

    Example:

      capexport evaluate bundle/ --data ucm/ --split test

      capexport evaluate bundle/ --data dataset_coco.json --features coco.npz --tokenizer ptb --json

      capexport evaluate bundle/ --data ucm/ --checkpoint checkpoint/ --encoder net.pth --layers
    """
    from capexport.bundle import open_bundle
    from capexport.evaluate.datasets import read_captions, select

    if checkpoint is None and (encoder or layers or calibration):
        raise InputError(
            "--encoder, --layers and --calibration belong to a comparison with PyTorch",
            where="capexport evaluate",
            hint="give the checkpoint of the bundle by --checkpoint",
        )
    opened = open_bundle(bundle)
    images = select(read_captions(data), split, subset)
    width = beam or opened.manifest.decoding.beam
    with stages() as stage:
        stage("opening the bundle")
        if checkpoint is None:
            from capexport.evaluate.quality import evaluate as measure

            result = measure(
                open_installed(opened, runtime, threads),
                opened.manifest.image,
                images,
                width,
                features=features,
                tokenizer=tokenizer,
                progress=stage,
            )
        else:
            from capexport.evaluate.comparison import evaluate as compare

            result = compare(
                opened,
                checkpoint,
                images,
                width,
                encoder=encoder,
                features=features,
                tokenizer=tokenizer,
                runtime=runtime,
                threads=threads,
                layers=layers,
                calibration=calibration,
                progress=stage,
            )
    result = {"split": split, "bundle_sha256": opened.sha256, **result}
    if as_json:
        print_json(result)
        return
    _print_scores(result)
    if "comparison" in result:
        _print_comparison(result["comparison"])


def _print_scores(result: dict[str, Any]) -> None:
    low, high = result["cider_95"]
    print_facts(
        [
            ("images", str(result["images"])),
            *((name, f"{value:.4f}") for name, value in result["metrics"].items()),
            ("", f"CIDEr-D lies between {low:.3f} and {high:.3f} (95 %, images drawn again)"),
            *((name, f"skipped: {reason}") for name, reason in result["skipped"].items()),
        ]
    )


def _print_comparison(comparison: dict[str, Any]) -> None:
    rows = [("PyTorch", _quality(comparison["reference"]), "", "", "")]
    for name, r in comparison["runtimes"].items():
        error = r["standard_error"]
        rows.append(
            (
                name,
                _quality(r),
                f"{r['difference']:+.4f}" + ("" if error is None else f" +- {error:.4f}"),
                f"{r['captions_identical']:,} of {r['captions_total']:,}",
                " ".join(f"{step}:{count}" for step, count in r["first_difference"].items()),
            )
        )
    print()
    print_table(("", "CIDEr-D (95 %)", "difference", "identical", "first differing step"), rows)
    for name, why in comparison["skipped"].items():
        print(f"{name}: skipped, {why}")
    if layers := comparison.get("layers"):
        print()
        print_table(
            ("layer", "graph", "op", "max error", "mean error", "mean value"),
            (
                (
                    *(str(layer[key]) for key in ("layer", "graph", "op")),
                    *(
                        f"{layer[key]:.2e}"
                        for key in ("max_abs_error", "mean_abs_error", "mean_abs_value")
                    ),
                )
                for layer in layers
            ),
        )


def _quality(side: dict[str, Any]) -> str:
    low, high = side["cider_95"]
    return f"{side['CIDEr-D']:.4f} ({low:.3f} to {high:.3f})"
