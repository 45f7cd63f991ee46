"""One way for the TFLite tests to run a file: LiteRT with its default delegate."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def open_file(data: bytes) -> Interpreter:
    return Interpreter(model_content=data, num_threads=1)


def run(interpreter: Interpreter, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Resize, allocate, set and invoke by signature name."""
    names = interpreter.get_signature_list()["serving_default"]
    signature = interpreter._get_full_signature_list()["serving_default"]
    for name in names["inputs"]:
        interpreter.resize_tensor_input(signature["inputs"][name], inputs[name].shape, strict=True)
    interpreter.allocate_tensors()
    for name in names["inputs"]:
        interpreter.set_tensor(signature["inputs"][name], inputs[name])
    interpreter.invoke()
    return {
        name: interpreter.get_tensor(signature["outputs"][name]).copy() for name in names["outputs"]
    }


def partitions(interpreter: Interpreter) -> int:
    """Pieces of the graph that XNNPACK took."""
    return sum(op["op_name"] == "DELEGATE" for op in interpreter._get_ops_details())


@dataclass(frozen=True)
class Plan:
    """Who runs the operators of an allocated file: each piece of a delegate, and the rest.

    Args:
        operators: of the file, by name; those that nothing needs are among them.
        pieces: the operators within each delegate's piece.
        builtin: what no delegate took.
    """

    operators: Counter[str]
    pieces: tuple[Counter[str], ...]
    builtin: Counter[str]


def plan(interpreter: Interpreter) -> Plan:
    """The interpreter lists operators and its delegates' pieces, but not which is in which.

    A piece has what its outputs need, back to its own inputs; the rest is what the graph's outputs
    need and no piece makes.
    """
    listed = interpreter._get_ops_details()
    pieces = [op for op in listed if op["op_name"] == "DELEGATE"]
    operators = [op for op in listed if op["op_name"] != "DELEGATE"]
    outputs = [tensor["index"] for tensor in interpreter.get_output_details()]
    everything = [*operators, *pieces]  # a piece hides the operators that made its outputs
    rest = Counter(op["op_name"] for op in _needed(everything, outputs, set()))
    del rest["DELEGATE"]
    return Plan(
        operators=Counter(op["op_name"] for op in operators),
        pieces=tuple(
            Counter(op["op_name"] for op in _needed(operators, p["outputs"], set(p["inputs"])))
            for p in pieces
        ),
        builtin=rest,
    )


def _needed(
    operators: Iterable[dict[str, Any]], tensors: Iterable[int], given: set[int]
) -> list[dict[str, Any]]:
    """The operators behind some tensors, where those of `given` are there already."""
    makers = {int(tensor): op for op in operators for tensor in op["outputs"]}
    found, waiting = {}, list(tensors)
    while waiting:
        op = makers.get(tensor := int(waiting.pop()))
        if op is not None and tensor not in given and op["index"] not in found:
            found[op["index"]] = op
            waiting += list(op["inputs"])
    return list(found.values())
