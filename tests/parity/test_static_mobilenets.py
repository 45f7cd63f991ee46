"""MobileNets with published weights in static int8, on photos."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from litert_files import open_file, partitions, run

from capexport.captioner import read_image_encoder
from capexport.capture import capture
from capexport.compress.static import apply_static
from capexport.ir.passes import run_passes
from capexport.runtime.image import read_picture
from capexport.spec.signature import TensorSpec
from capexport.writers import onnx, tflite

LEAST_COSINE = 0.98
"""Of int8 and torch features, calibrated on eight pictures only; benchmarks/README.md has .99 with
24 of them."""


@pytest.mark.parametrize(
    "file", ["mobilenet_v1_1.0_224_body_float.npz", "mobilenet_v2_1.0_224_float.npz"]
)
def test_features_on_photos(file: str, shared_data: Path) -> None:
    encoder = read_image_encoder(str(shared_data / "encoders" / file))
    features = TensorSpec("features", (49, encoder.channels))
    image = TensorSpec("image", encoder.image.shape, "uint8")
    graph = run_passes(capture(encoder.module, "encoder", [image], [features]))
    folder = shared_data / "captions" / "images" / "coco"
    others = [read_picture(path, encoder.image) for path in sorted(folder.iterdir())[::24]][:8]
    small = apply_static(graph, [{"image": picture.pixels} for picture in others])
    interpreter = open_file(tflite.write(small))
    session = onnxruntime.InferenceSession(onnx.write(small), providers=["CPUExecutionProvider"])
    for path in sorted((shared_data / "photos" / "coco5").glob("*.jpg")):
        pixels = read_picture(path, encoder.image).pixels
        with torch.no_grad():
            exact = encoder.module(torch.from_numpy(pixels))[0].numpy()
        got = run(interpreter, {"image": pixels})["features"]
        np.testing.assert_array_equal(got, session.run(["features"], {"image": pixels})[0])
        norms = np.linalg.norm(got) * np.linalg.norm(exact)
        assert float((got * exact).sum() / norms) >= LEAST_COSINE
    assert partitions(interpreter) == 1
