"""An image encoder and typical pictures -> the encoder as it is in a bundle, in static int8."""

import tempfile
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from capexport.captioner import ImageEncoder
from capexport.capture import capture
from capexport.compress import apply_recipe, check_calibration, image_samples, parse_recipes
from capexport.ir.passes import run_passes
from capexport.runtime import read_pictures
from capexport.runtime.backends import backend
from capexport.runtime.graph_runner import GraphRunner
from capexport.spec.signature import IMAGE, TensorSpec
from capexport.writers import tflite

FEATURES = "features"


class RunInLiteRt(nn.Module):
    """image uint8 [1, height, width, 3] -> features float32 [cells, channels], of a graph."""

    def __init__(self, graph: GraphRunner) -> None:
        super().__init__()
        self._graph = graph

    def forward(self, image: Tensor) -> tuple[Tensor]:
        return (torch.from_numpy(self._graph.run({IMAGE: image.numpy()})[FEATURES]),)


def int8_encoder(encoder: ImageEncoder, calibration: Path) -> ImageEncoder:
    """The encoder whose features are rounded as `export --recipe encoder=static_wi8_ai8` does.

    A captioner that learns from them beside the float ones says the same of both more often.

    Args:
        calibration: folder of pictures, as the export's.

    Raises:
        InputError: there is no picture, or one that cannot be read.
        UnsupportedError: the encoder has no convolution.
        RuntimeMissingError: LiteRT is not installed.
    """
    recipe = parse_recipes("encoder=static_wi8_ai8,decoder=fp32")
    check_calibration(recipe, calibration)
    cells = encoder.grid[0] * encoder.grid[1]
    image = TensorSpec(IMAGE, encoder.image.shape, "uint8")
    features = TensorSpec(FEATURES, (cells, encoder.channels))
    graph = run_passes(capture(encoder.module, "encoder", [image], [features]))
    samples = image_samples(graph, read_pictures(calibration, encoder.image))
    small = apply_recipe(graph, recipe["encoder"], samples)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "encoder.tflite"
        file.write_bytes(tflite.write(small))
        runner = backend("litert").open_graph(file, 1, packed=False)
    return replace(encoder, module=RunInLiteRt(runner))
