"""ONNX Runtime on the CPU; `kernels` is a library of custom operators."""

from pathlib import Path
from typing import Any

import onnxruntime

VERSION = onnxruntime.__version__
SEVERITY_ERROR = 3


class Runner:
    def __init__(self, files: list[Path], output_names: list[str], kernels: str | None) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = SEVERITY_ERROR
        if kernels:
            options.register_custom_ops_library(kernels)
        self._session = onnxruntime.InferenceSession(
            str(files[0]), options, providers=["CPUExecutionProvider"]
        )
        self._names = output_names
        self._inputs: dict[str, Any] = {}
        self._outputs: list[Any] = []

    def set(self, inputs: dict[str, Any]) -> None:
        self._inputs = inputs

    def step(self) -> None:
        self._outputs = self._session.run(self._names, self._inputs)

    def outputs(self) -> list[Any]:
        return self._outputs
