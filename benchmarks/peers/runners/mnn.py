"""MNN's session interface. Its inputs lie in memory that the step itself reuses."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import MNN
import numpy as np

VERSION = version("MNN")
TYPES = {"int32": MNN.Halide_Type_Int, "float32": MNN.Halide_Type_Float}


class Runner:
    def __init__(self, files: list[Path], output_names: list[str], kernels: str | None) -> None:
        self._interpreter = MNN.Interpreter(str(files[0]))
        self._session = self._interpreter.createSession({"backend": "CPU", "numThread": 1})
        self._names = output_names

    def set(self, inputs: dict[str, Any]) -> None:
        for name, array in inputs.items():
            tensor = self._interpreter.getSessionInput(self._session, name)
            tensor.copyFrom(_tensor(array))

    def step(self) -> None:
        self._interpreter.runSession(self._session)

    def outputs(self) -> list[Any]:
        return [self._output(name) for name in self._names]

    def _output(self, name: str) -> Any:
        tensor = self._interpreter.getSessionOutput(self._session, name)
        copy = _tensor(np.zeros(tensor.getShape(), np.float32))
        tensor.copyToHostTensor(copy)
        return np.array(copy.getData(), np.float32)


def _tensor(array: Any) -> Any:
    kind = TYPES[array.dtype.name]
    return MNN.Tensor(array.shape, kind, array, MNN.Tensor_DimensionType_Caffe)
