"""Weights of a graph become initializers: each stored once, in the order its readers want.

A weight that only linears read is stored transposed, [in, out], as ONNX's MatMul wants it. One
that others read too (an embedding tied to the logits) is stored as it is, and its linears read
it through a Transpose, which onnxruntime folds when it creates the session.
"""

from collections.abc import Callable

import numpy as np

from capexport.errors import GraphError
from capexport.ir.graph import Array, Constant, Graph
from capexport.writers.onnx.emitter import Emitter, Step, cast
from capexport.writers.onnx.sparse import write_gap_coded
from capexport.writers.packed_weights import NO_SCALE, PackedWeight, packed_weight


class ConstantStore:
    """Writes a constant when it is first asked for; every method returns the name to read."""

    def __init__(self, graph: Graph, emitter: Emitter) -> None:
        self._graph, self._constants = graph, graph.constants
        self._emitter = emitter
        self._transposed = _read_by_linears_only(graph)
        self._written: dict[tuple[str, str], str] = {}
        self._packed: dict[str, PackedWeight] = {}

    def stored(self, name: str) -> str:
        """The constant's own numbers, int8 if it is quantized, in the graph's order."""
        return self._once(name, "stored", lambda: self._store(name, transposed=False))

    def stored_transposed(self, name: str) -> str:
        """The same numbers of a matrix [out, in] as [in, out]."""
        if name in self._transposed:
            return self._once(name, "transposed", lambda: self._store(name, transposed=True))
        return self._once(name, "transposed", lambda: self._transpose(name))

    def real(self, name: str) -> str:
        """The real numbers, float32, in the graph's order."""
        stored, scale = self.stored(name), broadcast_scale(self._constants[name])
        return stored if scale is None else self._dequantized(name, stored, scale)

    def declared(self, name: str) -> str:
        """The real numbers, by DequantizeLinear: onnxruntime sees from it what is int8."""
        constant = self._constants[name]
        if constant.quantization is None:
            return self.stored(name)
        scale, axis = constant.quantization.scale, constant.quantization.axis
        emitter = self._emitter

        def write() -> str:
            zeros = emitter.initializer(
                emitter.fresh(f"{name}.zero"), np.zeros(len(scale), constant.data.dtype)
            )
            stored_scale = emitter.initializer(emitter.fresh(f"{name}.scale"), scale)
            inputs = (self.stored(name), stored_scale, zeros)
            return emitter.value("DequantizeLinear", inputs, f"{name}.real", axis=axis)

        return self._once(name, "declared", write)

    def real_transposed(self, name: str) -> str:
        """The real numbers of a matrix [out, in] as [in, out]."""
        stored, scale = self.stored_transposed(name), broadcast_scale(self._constants[name])
        return stored if scale is None else self._dequantized(name, stored, scale.T)

    def packed(self, name: str) -> tuple[str, str, bool]:
        """A sparse int8 matrix: the bytes of its CKSB blob, its scale, and whether it has the bias.

        Raises:
            GraphError: it has no scale per row.
            UnsupportedError: the matrix cannot be stored so.
        """
        if name not in self._packed:
            self._packed[name] = packed_weight(self._graph, self._constants[name])
        stored = self._packed[name]
        blob = self._once(name, "packed", lambda: self._emitter.initializer(name, stored.blob))
        if stored.scale is NO_SCALE:
            return blob, self._emitter.shared(NO_SCALE), stored.has_bias
        return blob, self.derived(name, "scale", stored.scale), stored.has_bias

    def derived(self, name: str, part: str, array: Array) -> str:
        """Store an array computed from a constant, once per `part`."""
        emitter = self._emitter
        return self._once(
            name, part, lambda: emitter.initializer(emitter.fresh(f"{name}.{part}"), array)
        )

    def _once(self, name: str, form: str, make: Callable[[], str]) -> str:
        if (name, form) not in self._written:
            self._written[name, form] = make()
        return self._written[name, form]

    def _store(self, name: str, *, transposed: bool) -> str:
        constant = self._constants[name]
        if constant.packed:
            raise GraphError(
                f"the packed weight {name!r} is read by an operator that cannot run it",
                where="constants",
                hint="mark packed weights with capexport.compress.choose_storage",
            )
        data = constant.data.T if transposed else constant.data
        if constant.sparse:
            return write_gap_coded(self._emitter, name, data)
        return self._emitter.initializer(name, data)

    def _transpose(self, name: str) -> str:
        return self._emitter.value("Transpose", (self.stored(name),), f"{name}.transposed")

    def _dequantized(self, name: str, stored: str, scale: Array) -> str:
        """Not DequantizeLinear: onnxruntime fuses that into a MatMul with int8 activations."""
        return self._once(name, f"real from {stored}", lambda: self._multiply(stored, scale))

    def _multiply(self, stored: str, scale: Array) -> str:
        real = self._emitter.fresh(f"{stored}.real")
        scale_name = self._emitter.initializer(self._emitter.fresh(f"{stored}.scale"), scale)
        self._emitter.chain(stored, (cast(np.float32), Step("Mul", (scale_name,))), real)
        return real


def broadcast_scale(constant: Constant) -> Array | None:
    """Scales of a quantized constant, of its rank, 1 long on every axis but the channels'."""
    if constant.quantization is None:
        return None
    channels = [1] * constant.data.ndim
    channels[constant.quantization.axis] = -1
    return constant.quantization.scale.reshape(channels)


def _read_by_linears_only(graph: Graph) -> frozenset[str]:
    weights = {node.inputs[1] for node in graph.nodes if node.op == "linear"}
    others = {
        name
        for node in graph.nodes
        for position, name in enumerate(node.inputs)
        if node.op != "linear" or position != 1
    }
    return frozenset(weights - others)
