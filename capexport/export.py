"""The product on one page: a checkpoint goes in, a bundle comes out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from capexport import __version__
from capexport.bundle import Bundle, Manifest, check_target, create_bundle
from capexport.captioner import Captioner, build_captioner, read_image_encoder, with_image_encoder
from capexport.capture import capture_graphs
from capexport.checkpoint import Checkpoint, read_checkpoint
from capexport.compress import (
    AUTO,
    Recipe,
    apply_recipe,
    automatic_recipes,
    check_calibration,
    check_weight_form,
    choose_storage,
    count_nonzeros,
    image_samples,
    parse_recipes,
    refuse_copies,
    refuse_nothing_packed,
    stored_layers,
)
from capexport.errors import InputError
from capexport.evaluate.recipe_search import Validation, check_validation, search_recipe
from capexport.ir.graph import Graph
from capexport.ir.passes import run_passes
from capexport.runtime import read_pictures
from capexport.writers import onnx, tflite

WRITERS = {"tflite": tflite.write, "onnx": onnx.write}
COUNTS = {"tflite": tflite.count_operators, "onnx": onnx.count_operators}
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
    validation: Validation | None = None,
    force: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Bundle:
    """Write the checkpoint as a bundle with an encoder and a decoder step per format.

    Args:
        checkpoint: what `capexport.checkpoint.read_checkpoint` reads.
        out: folder to create; an existing one needs `force`.
        formats: keys of WRITERS.
        recipe: `NAME`, or `encoder=NAME,decoder=NAME`, or `auto`.
        weights: `auto`, `dense`, `stock-sparse` or `packed`.
        encoder: `PATH` or `NAME:PATH` of an image encoder's weights; None for region features.
        calibration: folder of typical pictures, which a static recipe finds its scales by; `auto`
            can do without.
        validation: what `auto` measures on, and how much may be lost.
        progress: is told what is being done.

    Raises:
        CapexportError: of the stage that refused; nothing is left at `out` then.
    """
    recipes = None if recipe == AUTO else parse_recipes(recipe)
    if unknown := set(formats) - set(WRITERS):
        hint = f"choose from {', '.join(WRITERS)}"
        raise InputError(f"there is no format {min(unknown)!r}", where="--format", hint=hint)
    check_weight_form(weights)
    check_validation(recipe, validation)
    if recipes is not None:
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
    floats = [run_passes(graph) for graph in capture_graphs(captioner, progress)]
    if recipes is None:
        recipes = automatic_recipes(floats[0])
        if calibration is not None:
            check_calibration(recipes, calibration)
    names = {part: chosen.name for part, chosen in recipes.items()}
    progress(f"applying {names['encoder']} to the encoder, {names['decoder']} to the decoder")

    def small_encoder(recipe: Recipe) -> Graph:
        if validation is not None and calibration is None:
            pictures = validation.pictures(captioner.image)
        else:
            pictures = read_pictures(calibration, captioner.image)
        return apply_recipe(floats[0], recipe, image_samples(floats[0], pictures))

    smalls = [small_encoder(recipes["encoder"]), apply_recipe(floats[1], recipes["decoder"])]
    model = _Model(captioner, source.lineage, floats, names, provenance)
    if validation is not None:
        smalls, found = search_recipe(
            captioner,
            floats,
            smalls,
            validation,
            lambda folder, graphs: _write(model, graphs, folder, formats[:1], "dense"),
            lambda side: small_encoder(recipes["encoder"].of_images_within(side)),
            progress,
        )
        whole = {part["graph"] for part in found["float"] if not part["layers"]}
        names = {part: "fp32" if part in whole else name for part, name in names.items()}
        if found["largest"] is not None:
            names["encoder"] = recipes["encoder"].of_images_within(found["largest"]).name
        model = replace(model, recipes=names, provenance={**provenance, AUTO: found})
    return _write(model, smalls, out, formats, weights, force=force, progress=progress)


@dataclass(frozen=True)
class _Model:
    """What a bundle is made of, but for the graphs.

    Args:
        floats: the graphs before the recipe.
        recipes: name of the recipe of "encoder" and of "decoder".
    """

    captioner: Captioner
    lineage: str
    floats: Sequence[Graph]
    recipes: Mapping[str, str]
    provenance: Mapping[str, object]


def _write(
    model: _Model,
    smalls: Sequence[Graph],
    out: Path,
    formats: tuple[str, ...],
    weights: str,
    *,
    force: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Bundle:
    captioner = model.captioner
    nonzeros = {
        before.name: count_nonzeros(before, after)
        for before, after in zip(model.floats, smalls, strict=True)
    }
    if weights == "packed":
        refuse_nothing_packed(smalls)
    graphs = [choose_storage(graph, weights) for graph in smalls]
    for together in [[graph] for graph in graphs] if captioner.shares_layers else [graphs]:
        refuse_copies(together)
    stored = {
        graph.name: {**nonzeros[graph.name], "layers": stored_layers(graph)} for graph in graphs
    }
    files: dict[str, bytes] = {}
    operators: dict[str, dict[str, int]] = {}
    for name in formats:
        for graph in graphs:
            file = f"{graph.name}.{name}"
            progress(f"writing {file}")
            files[file] = WRITERS[name](graph)
            operators[file] = COUNTS[name](files[file])
    form = "dense" if weights == "auto" else weights
    manifest = Manifest(
        architecture=captioner.architecture,
        lineage=model.lineage,
        signature=captioner.signature,
        vocabulary=captioner.vocabulary,
        decoding=captioner.decoding,
        recipe=model.recipes,
        weights=form,
        runtimes=tuple(sorted(RUNTIMES[name] for name in formats)),
        minimum_runtime=_minimum_runtime(model.recipes, form, formats),
        provenance={**model.provenance, "graphs": stored, "operators": operators},
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
