"""A region detector's weights -> a folder with its graph for each runtime."""

from pathlib import Path

from capexport import __version__
from capexport.bundle.detector_folder import DetectorFolder, check_detector_target, write_detector
from capexport.captioner.encoders.region_detector import PICTURE, read_region_detector
from capexport.capture import capture
from capexport.compress import apply_recipe, check_calibration, image_samples, parse_recipes
from capexport.ir.passes import run_passes
from capexport.runtime import read_pictures
from capexport.spec.image import ImageSpec
from capexport.writers import onnx, tflite

WRITERS = {"litert": tflite.write, "onnxruntime": onnx.write}


def export_detector(
    weights: Path,
    out: Path,
    *,
    recipe: str = "fp32",
    calibration: Path | None = None,
    image: ImageSpec = PICTURE,
    force: bool = False,
) -> DetectorFolder:
    """Write `regions.tflite`, `regions.onnx` and `detector.json`.

    Args:
        weights: a state dictionary, see `read_region_detector`.
        out: folder to create.
        recipe: `fp32` or `static_wi8_ai8`.
        calibration: folder of typical pictures, which a static recipe needs.
        image: the input.
        force: replace a region detector that is at `out` already.

    Raises:
        CapexportError: of the stage that refused; nothing is left at `out` then.
    """
    check_detector_target(out, force=force)
    recipes = parse_recipes(f"encoder={recipe},decoder=fp32")
    check_calibration(recipes, calibration)
    detector = read_region_detector(weights, image)
    graph = run_passes(capture(detector.module, "regions", [detector.input], detector.outputs))
    samples = image_samples(graph, read_pictures(calibration, image))
    small = apply_recipe(graph, recipes["encoder"], samples)
    provenance = {
        "capexport": __version__,
        "weights_file": detector.file,
        "sha256": detector.sha256,
        "recipe": recipe,
    }
    graphs = {runtime: write(small) for runtime, write in WRITERS.items()}
    return write_detector(out, image, graphs, provenance, force=force)
