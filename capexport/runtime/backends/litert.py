"""A .tflite file -> an open graph in Google's LiteRT interpreter."""

import ctypes
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from capexport.errors import RuntimeMissingError
from capexport.kernels import litert_delegate
from capexport.runtime.graph_runner import Array, runtime_missing, unreadable_graph

RUNTIME = "litert"
PACKAGE = "ai-edge-litert"
SIGNATURE = "serving_default"


def installed_version() -> str:
    """Version of the installed package; RuntimeMissingError without it."""
    try:
        return version(PACKAGE)
    except PackageNotFoundError as error:
        raise runtime_missing(RUNTIME) from error


def open_graph(path: Path, threads: int, *, packed: bool = False) -> "LiteRtGraph":
    """The graph in `path`; RuntimeMissingError or BundleError when it cannot be opened.

    Args:
        packed: the weights are for the project's kernels, which are then built if need be.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise runtime_missing(RUNTIME) from error
    delegates = [_kernels(threads)] if packed else None
    try:
        return LiteRtGraph(
            Interpreter(model_path=str(path), num_threads=threads, experimental_delegates=delegates)
        )
    except (ValueError, RuntimeError) as error:
        raise unreadable_graph(path, RUNTIME, error) from error


def _kernels(threads: int) -> Any:
    """The delegate that runs packed weights; the interpreter keeps it alive."""
    from ai_edge_litert.interpreter import load_delegate

    library, options = litert_delegate(threads=threads, take="packed")
    try:
        ctypes.CDLL(library)  # where load_delegate fails, so does its destructor, on stderr
        return load_delegate(library, options)
    except (OSError, ValueError) as error:
        raise RuntimeMissingError(
            f"{RUNTIME} cannot load the kernels for packed weights: {error}",
            where=library,
            hint="delete that file so that it is built again, or export with --weights dense",
        ) from error


class LiteRtGraph:
    """An interpreter whose tensors are bound by the names of its signature, never by position."""

    def __init__(self, interpreter: Any) -> None:
        # The runner lends its names and is dropped at once: while it lives the interpreter refuses
        # to run, and it would resize and reallocate at every call.
        runner = interpreter.get_signature_runner(SIGNATURE)
        self._inputs = {name: d["index"] for name, d in runner.get_input_details().items()}
        self._outputs = {name: d["index"] for name, d in runner.get_output_details().items()}
        self._interpreter = interpreter
        self._shapes: dict[str, tuple[int, ...]] = {}

    @property
    def input_names(self) -> frozenset[str]:
        return frozenset(self._inputs)

    @property
    def output_names(self) -> frozenset[str]:
        return frozenset(self._outputs)

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Outputs by name. Memory is allocated anew only when an input's shape changes."""
        self._allocate({name: array.shape for name, array in inputs.items()})
        for name, array in inputs.items():
            self._interpreter.set_tensor(self._inputs[name], array)
        self._interpreter.invoke()
        # get_tensor copies, so the arrays stay valid through the next run.
        return {name: self._interpreter.get_tensor(i) for name, i in self._outputs.items()}

    def _allocate(self, shapes: dict[str, tuple[int, ...]]) -> None:
        if shapes == self._shapes:
            return
        self._shapes = {}  # nothing is allocated if a resize below fails
        for name, shape in shapes.items():
            self._interpreter.resize_tensor_input(self._inputs[name], shape, strict=True)
        self._interpreter.allocate_tensors()
        self._shapes = shapes
