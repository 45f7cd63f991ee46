"""MobileNet-V1 and V2 with real ImageNet weights against the quantised .tflite they come from."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray

from capexport.captioner.encoders import ImageEncoder, read_image_encoder
from capexport.runtime import read_picture

MOST_DISTANCE = 0.01
"""1 - cosine between float features and the original's, which are 8 bits at every layer."""


@dataclass(frozen=True)
class Published:
    """Files of one model, and the number of the tensor before the pool in the first .tflite."""

    weights: str
    classifier: str
    tflite: tuple[str, ...]
    features: int


PUBLISHED = {
    "tf_mobilenet_v1": Published(
        "mobilenet_v1_1.0_224_body_float.npz",
        "mobilenet_v1_1.0_224_head_float.npz",
        (
            "mobilenet_v1_1.0_224_quant_embedding_extractor.tflite",
            "mobilenet_quant_v1_224_head_layers.tflite",
        ),
        features=81,
    ),
    "tf_mobilenet_v2": Published(
        "mobilenet_v2_1.0_224_float.npz",
        "mobilenet_v2_1.0_224_float.npz",
        ("mobilenet_v2_1.0_224_quant.tflite",),
        features=168,
    ),
}


class Original:
    """The published .tflite, with every tensor kept."""

    def __init__(self, file: Path) -> None:
        self._interpreter = Interpreter(
            str(file),
            experimental_preserve_all_tensors=True,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        self._interpreter.allocate_tensors()

    def run(self, given: NDArray[np.uint8]) -> NDArray[np.uint8]:
        self._interpreter.set_tensor(self._interpreter.get_input_details()[0]["index"], given)
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self._interpreter.get_output_details()[0]["index"])

    def real_values(self, number: int) -> NDArray[np.float32]:
        details = {d["index"]: d for d in self._interpreter.get_tensor_details()}
        scale, zero_point = details[number]["quantization"]
        return (self._interpreter.get_tensor(number).astype(np.float32) - zero_point) * scale


class Comparison:
    """One published model, as our encoder and as its .tflite, on the five photos."""

    def __init__(self, name: str, data: Path) -> None:
        self.name, self.published = name, PUBLISHED[name]
        self._folder = data / "encoders"
        self.encoder: ImageEncoder = read_image_encoder(str(self._folder / self.published.weights))
        self.originals = [Original(self._folder / file) for file in self.published.tflite]
        files = sorted((data / "photos" / "coco5").glob("*.jpg"))
        self.photos = [read_picture(file, self.encoder.image).pixels for file in files]

    def features(self, photo: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.no_grad():
            (features,) = self.encoder.module(torch.from_numpy(photo))
        return features.numpy()

    def best_class(self, photo: NDArray[np.uint8]) -> int:
        """By the classifier behind the pool: the last convolution of its file."""
        arrays: Any = np.load(self._folder / self.published.classifier)
        operators = json.loads(str(arrays["meta"]))["ops"]
        (*_, last) = (op for op in operators if op["op"] == "CONV_2D")
        weight, bias = (arrays[str(number)] for number in last["inputs"][1:])
        return int((weight.reshape(len(bias), -1) @ self.features(photo).mean(0) + bias).argmax())

    def original_class(self, photo: NDArray[np.uint8]) -> int:
        for original in self.originals:
            photo = original.run(photo)
        return int(photo.argmax())


@pytest.fixture(scope="module", params=PUBLISHED)
def comparison(request: pytest.FixtureRequest, shared_data: Path) -> Comparison:
    return Comparison(request.param, shared_data)


def test_the_file_is_recognised(comparison: Comparison) -> None:
    assert comparison.encoder.name == comparison.name
    assert comparison.encoder.grid == (7, 7)
    assert len(comparison.photos) == 5


def test_features_point_where_the_originals_do(comparison: Comparison) -> None:
    original = comparison.originals[0]
    for photo in comparison.photos:
        got = comparison.features(photo).ravel()
        original.run(photo)
        expected = original.real_values(comparison.published.features).ravel()
        cosine = got @ expected / np.linalg.norm(got) / np.linalg.norm(expected)
        assert 1 - cosine <= MOST_DISTANCE


def test_photos_are_of_the_same_class(comparison: Comparison) -> None:
    for photo in comparison.photos:
        assert comparison.best_class(photo) == comparison.original_class(photo)
