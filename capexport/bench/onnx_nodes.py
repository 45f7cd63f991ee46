"""An .onnx file -> its nodes' names, operators and inputs: what a profile leaves out of them.

Reads the three fields by Protocol Buffers' wire format (protobuf.dev, "Encoding"), so that a
measurement needs no exporter's libraries: ModelProto.graph = 7, GraphProto.node = 1,
NodeProto.input = 1, .name = 3, .op_type = 4 (onnx/onnx.proto3).
"""

from collections.abc import Iterator
from dataclasses import dataclass

VARINT, FIXED_64, LENGTH, FIXED_32 = 0, 1, 2, 5
SKIPPED_BYTES = {FIXED_64: 8, FIXED_32: 4}


@dataclass(frozen=True)
class OnnxNode:
    """A node of the top graph."""

    name: str
    operator: str
    inputs: tuple[str, ...]


def read_nodes(model: bytes) -> list[OnnxNode]:
    """In the file's order; ValueError or IndexError where it is no such file."""
    graphs = [value for number, value in _fields(memoryview(model)) if number == 7]
    return [_node(value) for graph in graphs for number, value in _fields(graph) if number == 1]


def _node(message: memoryview) -> OnnxNode:
    fields = [(number, bytes(value)) for number, value in _fields(message) if number in (1, 3, 4)]
    texts = {number: value.decode() for number, value in fields}
    inputs = tuple(value.decode() for number, value in fields if number == 1)
    return OnnxNode(texts.get(3, ""), texts.get(4, ""), inputs)


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Number and bytes of each field that has a length; the others are stepped over."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if kind == LENGTH:
            size, at = _varint(message, at)
            if size > len(message) - at:
                raise ValueError(f"field {number} is longer than what holds it")
            yield number, message[at : at + size]
            at += size
        elif kind == VARINT:
            _, at = _varint(message, at)
        else:
            at += SKIPPED_BYTES[kind]


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """Seven bits a byte, the lowest first; a set top bit says that more follow."""
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
