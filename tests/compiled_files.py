"""Files for LiteRT's compiled models: graphs in int8, and operators put together by hand."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from cksb_blobs import GOLDEN

from capexport.compress import RECIPES, apply_recipe
from capexport.ir.graph import Constant, Graph
from capexport.spec.signature import TensorSpec
from capexport.writers.tflite.model import TfliteModel
from capexport.writers.tflite.packed_operators import SPARSE_LINEAR

Arrays = Mapping[str, np.ndarray]
Save = Callable[[bytes], Path]


def assert_same(got: Arrays, expected: Arrays) -> None:
    assert got.keys() == expected.keys()
    for name in expected:
        np.testing.assert_array_equal(got[name], expected[name], strict=True)


def int8(graph: Graph) -> Graph:
    return apply_recipe(graph, RECIPES["dynamic_wi8"])


class HandMade:
    """A file made without the writer's checks: operators side by side on one x [n, 600]."""

    def __init__(self) -> None:
        self._model = TfliteModel("made_by_hand")
        self._x = self._model.value(TensorSpec("x", ("n", 600), "float32"))
        self._outputs: dict[str, int] = {}

    def constant(self, name: str, array: np.ndarray) -> int:
        return self._model.constant(Constant(name, array))

    def blob(self, name: str, blob: bytes = GOLDEN) -> int:
        return self.constant(name, np.frombuffer(blob, np.uint8))

    def add(
        self, *constants: int, rows: int = 2, options: bytes = b"\0", name: str = SPARSE_LINEAR
    ) -> None:
        output = f"y{len(self._outputs)}"
        self._outputs[output] = self._model.value(TensorSpec(output, ("n", rows)))
        self._model.custom_operator(name, [self._x, *constants], [self._outputs[output]], options)

    def file(self) -> bytes:
        return self._model.serialize({"x": self._x}, self._outputs)


def one_operator(
    blob: bytes = GOLDEN, *, options: bytes = b"\0", name: str = SPARSE_LINEAR
) -> bytes:
    model, ones = HandMade(), np.ones(2, np.float32)
    constants = model.blob("w.cksb", blob), model.constant("scale", ones), model.constant("b", ones)
    model.add(*constants, options=options, name=name)
    return model.file()
