"""ExecuTorch's Python binding; it binds inputs by position."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from executorch.extension.pybindings.portable_lib import _unsafe_reset_threadpool
from executorch.runtime import Runtime

VERSION = version("executorch")


class Runner:
    def __init__(self, files: list[Path], output_names: list[str], kernels: str | None) -> None:
        _unsafe_reset_threadpool(1)  # there is no public way; it would take every core
        # the method does not keep its program alive
        self._program = Runtime.get().load_program(files[0])
        self._method = self._program.load_method("forward")
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []

    def set(self, inputs: dict[str, Any]) -> None:
        self._inputs = [torch.from_numpy(array) for array in inputs.values()]

    def step(self) -> None:
        self._outputs = self._method.execute(self._inputs)

    def outputs(self) -> list[Any]:
        return [tensor.numpy() for tensor in self._outputs]
