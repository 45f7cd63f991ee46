"""`capexport export`: a checkpoint -> a bundle on disk."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from capexport.cli.options import AsJson, Debug
from capexport.cli.output import percent, print_json, print_table
from capexport.cli.progress import stages

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
        str, typer.Option("--recipe", help="NAME, or encoder=NAME,decoder=NAME.")
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
    force: Annotated[bool, typer.Option("--force", help="Replace an existing output.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Write a checkpoint as a bundle that runs without torch.

    The bundle is a folder: encoder and decoder step as .tflite and .onnx, vocabulary, manifest and
    a card. It appears whole or not at all, and the same checkpoint gives the same bytes.

    With an image encoder the bundle takes pictures, otherwise region features.

    Example:

      capexport export checkpoint/ --out bundle/

      capexport export checkpoint/ --out bundle/ --format tflite --recipe dynamic_wi8 --force

      capexport export checkpoint/ --out bundle/ --encoder mobilenet_v2.pth --recipe fp32

      capexport export checkpoint/ --out bundle/ --encoder mobilenet_v2.pth
      --recipe encoder=static_wi8_ai8,decoder=dynamic_wi8 --calibration photos/
    """
    from capexport.bundle import check_target

    check_target(out, force=force)  # before torch is imported, which takes seconds
    from capexport.export import export as export_bundle

    with stages() as stage:
        bundle = export_bundle(
            checkpoint,
            out,
            formats=format.names,
            recipe=recipe,
            weights=weights.value,
            encoder=encoder,
            calibration=calibration,
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
    print(f"wrote {summary['bundle']}")
