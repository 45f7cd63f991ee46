"""`capexport inspect`: a checkpoint or a bundle -> what is in it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from capexport.cli.options import AsJson, Debug
from capexport.cli.output import percent, print_facts, print_json, print_table

if TYPE_CHECKING:
    from capexport.bundle import Bundle
    from capexport.checkpoint import Checkpoint

Description = dict[str, Any]
"""The JSON document of `inspect`."""
COUNTS = ("parameters", "nnz", "sparsity", "size_bound_bytes", "layers", "operators")
"""What the export noted in the bundle: of its checkpoint, and the operators of its graphs."""


def inspect(
    path: Annotated[Path, typer.Argument(help="Checkpoint (folder, .zip or .pth) or bundle.")],
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Show what a checkpoint or a bundle holds.

    Architecture, parameters, non-zeros, the sparsity of every layer, bytes on disk and the size
    that its non-zeros would need at least; for a bundle its files, recipe and runtimes too, and how
    many operators of each kind its graphs have.

    Example:

      capexport inspect checkpoint/

      capexport inspect bundle/ --json
    """
    if (path / "manifest.json").is_file():
        from capexport.bundle import open_bundle

        description, show = describe_bundle(open_bundle(path)), _print_bundle
    else:
        from capexport.checkpoint import read_checkpoint

        description, show = describe_checkpoint(read_checkpoint(path)), _print_checkpoint
    if as_json:
        print_json(description)
    else:
        show(description)


def describe_checkpoint(checkpoint: "Checkpoint") -> Description:
    """Return the JSON document."""
    return {
        "kind": "checkpoint",
        "lineage": checkpoint.lineage,
        "architecture": checkpoint.architecture,
        "file": checkpoint.weights_file,
        **checkpoint.statistics(),
        "bytes": checkpoint.bytes_on_disk,
        "vocabulary": {"size": len(checkpoint.vocabulary)},
        "decoding": asdict(checkpoint.decoding),
    }


def describe_bundle(bundle: "Bundle") -> Description:
    """Return the JSON document; `bytes` counts the files that the manifest lists.

    What was counted, of the checkpoint and of the graphs, is what the export noted.
    """
    manifest = bundle.manifest
    provenance = manifest.provenance
    return {
        "kind": "bundle",
        "lineage": manifest.lineage,
        "architecture": manifest.architecture,
        **{key: provenance[key] for key in COUNTS if key in provenance},
        "bytes": sum(file.bytes for file in manifest.files),
        "vocabulary": {"size": len(manifest.vocabulary)},
        "decoding": asdict(manifest.decoding),
        "image": asdict(manifest.image) if manifest.image else None,
        "recipe": dict(manifest.recipe),
        "weights": manifest.weights,
        "runtimes": list(manifest.runtimes),
        "minimum_runtime": dict(manifest.minimum_runtime),
        "files": [asdict(file) for file in manifest.files],
        "provenance": dict(provenance),
    }


def _print_checkpoint(description: Description) -> None:
    bound = description["size_bound_bytes"]
    print_facts(
        [
            ("architecture", f"{description['architecture']} ({description['lineage']})"),
            ("weights file", f"{description['file']}, {description['bytes']:,} bytes"),
            ("parameters", f"{description['parameters']:,}"),
            ("non-zeros", f"{description['nnz']:,} ({percent(description['sparsity'])} zeros)"),
            ("size bound", f"{bound['int8']:,} bytes as int8, {bound['int4']:,} as int4"),
            ("vocabulary", f"{description['vocabulary']['size']:,} pieces"),
            ("decoding", _decoding_line(description["decoding"])),
        ]
    )
    print()
    _print_layers(description["layers"])


def _print_bundle(description: Description) -> None:
    recipe = ", ".join(f"{graph} {name}" for graph, name in description["recipe"].items())
    print_facts(
        [
            ("architecture", f"{description['architecture']} ({description['lineage']})"),
            ("recipe", f"{recipe}; {description['weights']} weights"),
            ("input", _input_line(description)),
            ("runtimes", ", ".join(description["runtimes"])),
            ("bytes", f"{description['bytes']:,}"),
            ("vocabulary", f"{description['vocabulary']['size']:,} pieces"),
            ("decoding", _decoding_line(description["decoding"])),
        ]
    )
    print()
    print_table(
        ("file", "bytes", "sha256"),
        ((f["name"], f"{f['bytes']:,}", f["sha256"][:12]) for f in description["files"]),
    )
    if layers := description.get("layers"):
        print()
        _print_layers(layers)
    for suffix in sorted({Path(file).suffix for file in description.get("operators", ())}):
        print()
        _print_operators(description["operators"], suffix)


def _print_layers(layers: Sequence[Description]) -> None:
    print_table(
        ("layer", "shape", "non-zeros", "zeros"),
        (
            (
                layer["name"],
                " x ".join(map(str, layer["shape"])),
                f"{layer['nnz']:,}",
                percent(layer["sparsity"]),
            )
            for layer in layers
        ),
    )


def _print_operators(counts: Mapping[str, Mapping[str, int]], suffix: str) -> None:
    """A table of one format: kinds of operators below, graphs to the right, all of them first."""
    graphs = {file: count for file, count in counts.items() if Path(file).suffix == suffix}
    total = {file: sum(count.values()) for file, count in graphs.items()}
    kinds = Counter[str]()
    for count in graphs.values():
        kinds.update(count)
    rows = [("all operators", *(f"{total[file]:,}" for file in graphs))]
    for kind, _ in kinds.most_common():
        rows.append((kind, *(f"{graphs[file].get(kind, 0):,}" for file in graphs)))
    print_table((suffix[1:], *(Path(file).stem for file in graphs)), rows)


def _input_line(description: Description) -> str:
    if description["image"] is None:
        return "region features"
    encoder = description["provenance"].get("image_encoder", {}).get("architecture", "its encoder")
    height, width = description["image"]["height"], description["image"]["width"]
    return f"pictures, {height} x {width}, for {encoder}"


def _decoding_line(decoding: Description) -> str:
    return f"beam {decoding['beam']}, at most {decoding['max_length']} tokens"
