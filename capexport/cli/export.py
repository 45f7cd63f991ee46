"""`capexport export`: a checkpoint -> a bundle on disk."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from capexport.cli.options import AsJson, Debug
from capexport.cli.output import percent, print_json, print_table
from capexport.cli.progress import stages
from capexport.errors import InputError

if TYPE_CHECKING:
    from capexport.bundle import Bundle


class Format(StrEnum):
    """Graph files to write."""

    tflite = "tflite"
    onnx = "onnx"
    both = "both"

    @property
    def names(self) -> tuple[str, ...]:
        return ("tflite", "onnx") if self is Format.both else (self.value,)


class Weights(StrEnum):
    """How pruned weights are stored."""

    auto = "auto"
    packed = "packed"
    dense = "dense"
    stock_sparse = "stock-sparse"


def export(
    checkpoint: Annotated[Path, typer.Argument(help="Trainer's folder, .zip or .pth file.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write the bundle to.")],
    format: Annotated[Format, typer.Option("--format", help="Graph files.")] = Format.both,
    recipe: Annotated[
        str, typer.Option("--recipe", help="NAME, or encoder=NAME,decoder=NAME, or auto.")
    ] = "dynamic_wi8",
    weights: Annotated[
        Weights, typer.Option("--weights", help="Storage of pruned weights.")
    ] = Weights.auto,
    encoder: Annotated[
        str | None,
        typer.Option("--encoder", help="Image encoder's weights: PATH, or NAME:PATH."),
    ] = None,
    calibration: Annotated[
        Path | None,
        typer.Option("--calibration", help="Folder of typical pictures, for a static recipe."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Captioned images that --recipe auto is measured on."),
    ] = None,
    split: Annotated[str, typer.Option("--split", help="Images of --data; '': all.")] = "val",
    subset: Annotated[
        str, typer.Option("--set", help="Data set within a collection; default: all of them.")
    ] = "",
    features: Annotated[
        Path | None, typer.Option("--features", help="Features of --data, without --encoder.")
    ] = None,
    max_cider_drop: Annotated[
        str, typer.Option("--max-cider-drop", help="For --recipe auto: 0.5% of CIDEr-D, or 0.01.")
    ] = "0.5%",
    force: Annotated[bool, typer.Option("--force", help="Replace an existing output.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Write a checkpoint as a bundle that runs without torch.

    The bundle is a folder: encoder and decoder step as .tflite and .onnx, vocabulary, manifest and
    a card. It appears whole or not at all, and the same checkpoint gives the same bytes.

    With an image encoder the bundle takes pictures, otherwise region features. Its recipe
    static_wi8_ai8 may end in @56: convolutions over images of more than 56 rows or columns are
    float then, which is slower and nearer to float features.

    --recipe auto is int8, but for the layers that must stay float for CIDEr-D on --data to drop no
    more than allowed; it says which, and how much each layer's output was off.

    Example:

      capexport export checkpoint/ --out bundle/

      capexport export checkpoint/ --out bundle/ --format tflite --recipe dynamic_wi8 --force

      capexport export checkpoint/ --out bundle/ --encoder mobilenet_v2.pth --recipe fp32

      capexport export checkpoint/ --out bundle/ --encoder mobilenet_v2.pth
      --recipe encoder=static_wi8_ai8,decoder=dynamic_wi8 --calibration photos/

      capexport export checkpoint/ --out bundle/ --encoder mobilenet_v2.pth --recipe auto
      --data ucm/ --max-cider-drop 0.5%
    """
    from capexport.bundle import check_target

    check_target(out, force=force)  # before torch is imported, which takes seconds
    from capexport.evaluate.datasets import read_captions, select
    from capexport.evaluate.recipe_search import Budget, Validation
    from capexport.export import export as export_bundle

    validation = None
    if data is None and features is not None:
        raise InputError(
            "--features are those of captioned images, and there are none",
            where=f"--features {features}",
            hint="give the images by --data, with --recipe auto",
        )
    if data is not None:
        images = select(read_captions(data), split, subset)
        validation = Validation(images, Budget.parse(max_cider_drop), features)
    with stages() as stage:
        bundle = export_bundle(
            checkpoint,
            out,
            formats=format.names,
            recipe=recipe,
            weights=weights.value,
            encoder=encoder,
            calibration=calibration,
            validation=validation,
            force=force,
            progress=stage,
        )
    summary = _summary(bundle)
    if as_json:
        print_json(summary)
    else:
        _print_summary(summary)


def _summary(bundle: "Bundle") -> dict[str, Any]:
    """Return the JSON document: the weights files before, the bundle's files after."""
    manifest = bundle.manifest
    source = manifest.provenance
    return {
        "bundle": str(bundle.path),
        "checkpoint": {"file": source["weights_file"], "bytes": source["bytes"]},
        **_image_encoder(source),
        "files": [
            {"name": file.name, "bytes": file.bytes, "sha256": file.sha256}
            for file in manifest.files
        ],
        "recipe": dict(manifest.recipe),
        "weights": manifest.weights,
        "runtimes": list(manifest.runtimes),
        **({"auto": source["auto"]} if "auto" in source else {}),
    }


def _image_encoder(provenance: Mapping[str, Any]) -> dict[str, Any]:
    encoder = provenance.get("image_encoder")
    if encoder is None:
        return {}
    return {"image_encoder": {"file": encoder["weights_file"], "bytes": encoder["bytes"]}}


def _print_summary(summary: dict[str, Any]) -> None:
    before = summary["checkpoint"]["bytes"]
    rows = [(summary["checkpoint"]["file"], f"{before:,}", "checkpoint")]
    if encoder := summary.get("image_encoder"):
        before += encoder["bytes"]
        rows.append((encoder["file"], f"{encoder['bytes']:,}", "image encoder"))
    for file in summary["files"]:
        rows.append((file["name"], f"{file['bytes']:,}", percent(file["bytes"] / before)))
    total = sum(file["bytes"] for file in summary["files"])
    rows.append(("bundle", f"{total:,}", percent(total / before)))
    print_table(("file", "bytes", "of both" if encoder else "of checkpoint"), rows)
    recipe = ", ".join(f"{graph} {name}" for graph, name in summary["recipe"].items())
    print(f"\nrecipe: {recipe}; {summary['weights']} weights")
    if auto := summary.get("auto"):
        _print_choice(auto)
    print(f"wrote {summary['bundle']}")


def _print_choice(auto: Mapping[str, Any]) -> None:
    cider, kept = auto["cider"], auto["float"]
    print(
        f"CIDEr-D on {auto['images']} images: {cider['float']:.4f} float, {cider['int8']:.4f} all "
        f"int8, {cider['chosen']:.4f} as chosen; allowed to drop by {auto['max_drop']:.4f}"
    )
    print(f"float: {len(kept)} of {len(kept) + len(auto['int8'])} parts, the most sensitive ones")
    rows = [(part, "float") for part in kept] + [(part, "int8") for part in auto["int8"]]
    whole = f"images of more than {auto['largest']}" if auto["largest"] else "all of it"
    print_table(
        ("part", "graph", "relative squared error", ""),
        (
            (", ".join(p["layers"]) or whole, p["graph"], f"{p['sensitivity']:.2e}", form)
            for p, form in rows
        ),
    )
