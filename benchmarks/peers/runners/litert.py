"""LiteRT with its default delegate, XNNPACK; `kernels` is the library of one more delegate."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

from ai_edge_litert.interpreter import Interpreter, load_delegate

VERSION = version("ai-edge-litert")
SIGNATURE = "serving_default"


class Runner:
    def __init__(self, files: list[Path], output_names: list[str], kernels: str | None) -> None:
        delegates = [load_delegate(kernels)] if kernels else None
        self._interpreter = Interpreter(
            str(files[0]), num_threads=1, experimental_delegates=delegates
        )
        runner = self._interpreter.get_signature_runner(SIGNATURE)
        self._inputs = {name: d["index"] for name, d in runner.get_input_details().items()}
        outputs = {name: d["index"] for name, d in runner.get_output_details().items()}
        self._outputs = [outputs[name] for name in output_names]
        self._allocated = False

    def set(self, inputs: dict[str, Any]) -> None:
        if not self._allocated:
            for name, array in inputs.items():
                self._interpreter.resize_tensor_input(self._inputs[name], array.shape)
            self._interpreter.allocate_tensors()
            self._allocated = True
        for name, array in inputs.items():
            self._interpreter.set_tensor(self._inputs[name], array)

    def step(self) -> None:
        self._interpreter.invoke()

    def outputs(self) -> list[Any]:
        return [self._interpreter.get_tensor(index) for index in self._outputs]
