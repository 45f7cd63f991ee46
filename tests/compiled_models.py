"""LiteRT's compiled models with our operators, through the C interface of capexport_litert.h."""

import ctypes
from collections.abc import Mapping
from itertools import count, takewhile
from pathlib import Path
from types import TracebackType
from typing import Any

import ai_edge_litert
import numpy as np

from capexport.kernels.build import build

LITERT = Path(ai_edge_litert.__file__).parent / "libLiteRt.so"
MOST_AXES = 8
TYPES = {np.dtype(np.float32): 1, np.dtype(np.int32): 2}


class Tensor(ctypes.Structure):
    """capexport_tensor."""

    _fields_ = (
        ("type", ctypes.c_int32),
        ("rank", ctypes.c_int32),
        ("dims", ctypes.c_int32 * MOST_AXES),
        ("data", ctypes.c_void_p),
    )


class Event(ctypes.Structure):
    """capexport_litert_event."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("is_delegated", ctypes.c_int32),
        ("output", ctypes.c_char_p),
        ("input_count", ctypes.c_int32),
        ("inputs", ctypes.c_char_p * 4),
        ("microseconds", ctypes.c_int64),
    )


class GraphError(Exception):
    """What capexport_litert_message says."""


def load_interface() -> ctypes.CDLL:
    """The library for this machine, its functions declared."""
    library = ctypes.CDLL(str(build(product="litert")))
    graph, text, tensor = ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(Tensor)
    count_of = ctypes.POINTER(ctypes.c_int32)
    for name, result, *parameters in (
        ("open", graph, text, text, ctypes.c_int32, text, ctypes.c_size_t),
        ("open_profiled", graph, text, text, ctypes.c_int32, text, ctypes.c_size_t),
        ("profile", ctypes.c_int32, graph, ctypes.POINTER(Event), ctypes.c_int32, count_of),
        ("close", None, graph),
        ("message", text, graph),
        ("input_name", text, graph, ctypes.c_int32),
        ("output_name", text, graph, ctypes.c_int32),
        ("set_input", ctypes.c_int32, graph, text, tensor),
        ("run", ctypes.c_int32, graph),
        ("output", ctypes.c_int32, graph, text, tensor),
    ):
        function = library[f"capexport_litert_{name}"]
        function.restype, function.argtypes = result, parameters
        setattr(library, name, function)
    return library


class CompiledGraph:
    """An open graph.

    Raises:
        GraphError: it cannot be opened, or a call fails.
    """

    def __init__(
        self, path: Path, *, library: Path = LITERT, threads: int = 1, profiled: bool = False
    ) -> None:
        self._c = load_interface()
        why = ctypes.create_string_buffer(256)
        names = str(library).encode(), str(path).encode()
        opens = self._c.open_profiled if profiled else self._c.open
        self._graph = opens(*names, threads, why, len(why))
        if not self._graph:
            raise GraphError(why.value.decode())
        self._inputs: dict[str, np.ndarray[Any, Any]] = {}

    def __enter__(self) -> "CompiledGraph":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._c.close(self._graph)

    def names(self, end: str) -> list[str]:
        """Those of the "input" or "output"."""
        name_of = self._c.input_name if end == "input" else self._c.output_name
        numbered = (name_of(self._graph, number) for number in count())
        return [name.decode() for name in takewhile(bool, numbered)]

    def set_input(self, name: str, array: np.ndarray[Any, Any]) -> None:
        self._inputs[name] = array = np.ascontiguousarray(array)
        dims = (ctypes.c_int32 * MOST_AXES)(*array.shape)
        tensor = Tensor(TYPES[array.dtype], array.ndim, dims, array.ctypes.data)
        self._check(self._c.set_input(self._graph, name.encode(), ctypes.byref(tensor)))

    def output(self, name: str) -> np.ndarray[Any, Any]:
        """A copy."""
        tensor = Tensor()
        self._check(self._c.output(self._graph, name.encode(), ctypes.byref(tensor)))
        shape = tuple(tensor.dims[: tensor.rank])
        dtype = next(dtype for dtype, number in TYPES.items() if number == tensor.type)
        raw = ctypes.string_at(tensor.data, int(np.prod(shape)) * dtype.itemsize)
        return np.frombuffer(raw, dtype).reshape(shape)

    def run(self, inputs: Mapping[str, np.ndarray[Any, Any]]) -> dict[str, np.ndarray[Any, Any]]:
        """Outputs by name."""
        for name, array in inputs.items():
            self.set_input(name, array)
        self.run_again()
        return {name: self.output(name) for name in self.names("output")}

    def run_again(self) -> None:
        self._check(self._c.run(self._graph))

    def profile(self, most: int = 64) -> tuple[list[Event], int]:
        """Events of the run since the last call, at most `most`; and how many there are."""
        events, count = (Event * most)(), ctypes.c_int32()
        self._check(self._c.profile(self._graph, events, most, ctypes.byref(count)))
        return list(events[: min(most, count.value)]), count.value

    def _check(self, status: int) -> None:
        if status:
            raise GraphError(self._c.message(self._graph).decode())
