"""The product on one page: a checkpoint goes in, a bundle comes out."""

from collections.abc import Callable, Mapping
from pathlib import Path

from capexport import __version__
from capexport.bundle import Bundle, Manifest, check_target, create_bundle
from capexport.captioner import build_captioner, read_image_encoder, with_image_encoder
from capexport.capture import capture_graphs
from capexport.checkpoint import Checkpoint, read_checkpoint
from capexport.compress import (
    apply_recipe,
    check_calibration,
    check_weight_form,
    choose_storage,
    count_nonzeros,
    image_samples,
    parse_recipes,
    refuse_copies,
)
from capexport.errors import InputError
from capexport.ir.passes import run_passes
from capexport.runtime import read_pictures
from capexport.writers import onnx, tflite

WRITERS = {"tflite": tflite.write, "onnx": onnx.write}
RUNTIMES = {"tflite": "litert", "onnx": "onnxruntime"}
MINIMUM_RUNTIME = {"litert": "2.1", "onnxruntime": "1.18"}
MINIMUM_FOR_FLOAT = {**MINIMUM_RUNTIME, "litert": "1.0"}
"""Of bundles without int8 or sparse weights; `make test-runtimes` holds both against releases."""


def export(
    checkpoint: Path,
    out: Path,
    *,
    formats: tuple[str, ...] = ("tflite", "onnx"),
    recipe: str = "dynamic_wi8",
    weights: str = "auto",
    encoder: str | None = None,
    calibration: Path | None = None,
    force: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Bundle:
    """Write the checkpoint as a bundle with an encoder and a decoder step per format.

    Args:
        checkpoint: what `capexport.checkpoint.read_checkpoint` reads.
        out: folder to create; an existing one needs `force`.
        formats: keys of WRITERS.
        recipe: `NAME`, or `encoder=NAME,decoder=NAME`.
        weights: `auto`, `dense`, `stock-sparse` or `packed`.
        encoder: `PATH` or `NAME:PATH` of an image encoder's weights; None for region features.
        calibration: folder of typical pictures, which a static recipe finds its scales by.
        progress: is told what is being done.

    Raises:
        CapexportError: of the stage that refused; nothing is left at `out` then.
    """
    recipes = parse_recipes(recipe)
    if unknown := set(formats) - set(WRITERS):
        hint = f"choose from {', '.join(WRITERS)}"
        raise InputError(f"there is no format {min(unknown)!r}", where="--format", hint=hint)
    check_weight_form(weights)
    check_calibration(recipes, calibration)
    check_target(out, force=force)
    progress("reading the checkpoint")
    source = read_checkpoint(checkpoint)
    captioner, provenance = build_captioner(source), _provenance(source)
    if encoder is not None:
        image_encoder = read_image_encoder(encoder)
        captioner = with_image_encoder(captioner, image_encoder)
        provenance["image_encoder"] = {
            "architecture": image_encoder.name,
            "weights_file": image_encoder.file,
            "bytes": image_encoder.bytes_on_disk,
            "sha256": image_encoder.sha256,
        }
    graphs, nonzeros = [], {}
    for captured in capture_graphs(captioner, progress):
        part = "encoder" if captured.name == "encoder" else "decoder"
        graph = run_passes(captured)
        progress(f"applying {recipes[part].name} to the {part}")
        pictures = read_pictures(calibration, captioner.image)
        small = apply_recipe(graph, recipes[part], image_samples(graph, pictures))
        nonzeros[graph.name] = count_nonzeros(graph, small)
        graphs.append(choose_storage(small, weights))
    for together in [[graph] for graph in graphs] if captioner.shares_layers else [graphs]:
        refuse_copies(together)
    files: dict[str, bytes] = {}
    for name in formats:
        for graph in graphs:
            progress(f"writing {graph.name}.{name}")
            files[f"{graph.name}.{name}"] = WRITERS[name](graph)
    names = {part: chosen.name for part, chosen in recipes.items()}
    form = "dense" if weights == "auto" else weights
    manifest = Manifest(
        architecture=captioner.architecture,
        lineage=source.lineage,
        signature=captioner.signature,
        vocabulary=captioner.vocabulary,
        decoding=captioner.decoding,
        recipe=names,
        weights=form,
        runtimes=tuple(sorted(RUNTIMES[name] for name in formats)),
        minimum_runtime=_minimum_runtime(names, form, formats),
        provenance={**provenance, "graphs": nonzeros},
        image=captioner.image,
    )
    return create_bundle(out, manifest, files, force=force)


def _minimum_runtime(
    recipe: Mapping[str, str], weights: str, formats: tuple[str, ...]
) -> dict[str, str]:
    """The oldest version of each runtime that opens such files and computes them right."""
    plain = set(recipe.values()) == {"fp32"} and weights == "dense"
    minimum = MINIMUM_FOR_FLOAT if plain else MINIMUM_RUNTIME
    return {RUNTIMES[name]: minimum[RUNTIMES[name]] for name in formats}


def _provenance(checkpoint: Checkpoint) -> dict[str, object]:
    """Where the weights came from and what was in them."""
    return {
        "capexport": __version__,
        "weights_file": checkpoint.weights_file,
        "sha256": dict(checkpoint.sha256),
        "bytes": checkpoint.bytes_on_disk,
        **checkpoint.statistics(),
    }
