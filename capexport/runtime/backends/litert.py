"""A .tflite file -> an open graph in the TFLite interpreter, whichever package brings it."""

import ctypes
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import Any

from capexport.errors import RuntimeMissingError
from capexport.kernels import litert_delegate
from capexport.runtime.graph_runner import (
    Array,
    Installed,
    release,
    runtime_missing,
    unreadable_graph,
)

RUNTIME = "litert"
SIGNATURE = "serving_default"
BEFORE_ALL = "0"


@dataclass(frozen=True)
class Package:
    """A package with the interpreter; all three have one interface and one delegate ABI.

    Args:
        names: as pip knows it; they differ by platform.
        module: with `Interpreter` and `load_delegate`.
        levels: (its version, the LiteRT version whose files it opens from there on), newest first;
            None: it *is* LiteRT. An older one than the last opens nothing that has a minimum.
    """

    names: tuple[str, ...]
    module: str
    levels: tuple[tuple[str, str], ...] | None = None

    def installed(self) -> Installed | None:
        """What is there of it, by pip's records; nothing is imported."""
        for name in self.names:
            try:
                found = version(name)
            except PackageNotFoundError:
                continue
            return Installed(name, found, self._level(found))
        return None

    def _level(self, found: str) -> str:
        if self.levels is None:
            return found
        reached = (level for own, level in self.levels if release(found) >= release(own))
        return next(reached, BEFORE_ALL)


PACKAGES = (
    Package(("ai-edge-litert",), "ai_edge_litert.interpreter"),
    Package(
        ("tensorflow", "tensorflow-cpu"), "tensorflow.lite.python.interpreter", (("2.21", "2.1"),)
    ),
    # Its last release. It misreads int8 weights with a scale per row: docs/decisions/runtimes.md.
    Package(("tflite-runtime",), "tflite_runtime.interpreter", (("2.14", "1.0"),)),
)
"""In order of preference; the levels are what `make test-runtimes` showed."""


def installed() -> Installed:
    """The package that will be used; RuntimeMissingError without one."""
    return _preferred()[1]


def open_graph(path: Path, threads: int, *, packed: bool = False) -> "LiteRtGraph":
    """The graph in `path`; RuntimeMissingError or BundleError when it cannot be opened.

    Args:
        packed: the weights are for the project's kernels, which are then built if need be.
    """
    package, found = _preferred()
    try:
        interpreter = importlib.import_module(package.module)
    except ImportError as error:
        raise _unusable(found, error) from error
    delegates = [_kernels(interpreter, found, threads)] if packed else None
    try:
        opened = interpreter.Interpreter(
            model_path=str(path), num_threads=threads, experimental_delegates=delegates
        )
        return LiteRtGraph(opened)
    except SystemError as error:  # tflite-runtime beside numpy 2, which its import survives
        raise _unusable(found, error) from error
    except (ValueError, RuntimeError) as error:
        raise unreadable_graph(path, RUNTIME, error, found) from error


def _preferred() -> tuple[Package, Installed]:
    for package in PACKAGES:
        if (found := package.installed()) is not None:
            return package, found
    raise runtime_missing(RUNTIME)


def _unusable(found: Installed, error: Exception) -> RuntimeMissingError:
    """The error for a package that pip lists but Python cannot use."""
    return RuntimeMissingError(
        f"{found} is installed but cannot be used: {error.__cause__ or error}",
        where=RUNTIME,
        hint=f"remove it and pip install 'capexport[{RUNTIME}]'; tflite-runtime needs numpy<2",
    )


def _kernels(interpreter: ModuleType, found: Installed, threads: int) -> Any:
    """The delegate that runs packed weights; the interpreter keeps it alive."""
    library, options = litert_delegate(threads=threads, take="packed")
    try:
        ctypes.CDLL(library)  # where load_delegate fails, so does its destructor, on stderr
        return interpreter.load_delegate(library, options)
    except (OSError, ValueError) as error:
        raise RuntimeMissingError(
            f"{found} cannot load the kernels for packed weights: {error}",
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
