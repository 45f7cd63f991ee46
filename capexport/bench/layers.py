"""A device's runtime -> ms of each operator of both graphs, by the runtime's own profiler.

A round of its own, after those that are measured: a profiler slows down what it watches. Times
are whole microseconds, as both runtimes note them, and include some of the profiler's own work:
shares are of the operators' sum, and that says more than the sum does.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from capexport.bench.devices.target import Target
from capexport.bench.onnx_nodes import OnnxNode, read_nodes
from capexport.bench.weights import weights_of
from capexport.bundle import DECODER_STEP, ENCODER, Bundle, graph_file
from capexport.errors import DeviceError

CALLS = 31
"""Of each graph, after warm-up."""
XNNPACK = "XNNPACK"
ONNX_SUFFIX = "_kernel_time"
PACKED_SUFFIX = ".cksb"
"""Of packed weights in a .tflite."""
US = 1e-3


@dataclass(frozen=True)
class Operator:
    """One operator as one call ran it.

    Args:
        name: of what it computes; "" where the runtime does not tell.
        operator: its kind.
        us: microseconds.
        inputs: names of tensors, as far as they are known.
    """

    name: str
    operator: str
    us: float
    inputs: tuple[str, ...] = ()


def layers_ms(target: Target, bundle: Bundle, told: Mapping[str, Any]) -> dict[str, Any]:
    """By graph the operators' medians, in the order in which they ran.

    Args:
        told: the document of a runner that profiled.

    Raises:
        DeviceError: calls did not run the same operators, or a profile cannot be read.
    """
    found = {}
    for graph in (ENCODER, DECODER_STEP):
        calls, file = told[graph]["calls"], told[graph]["file"]
        if file:
            runs = onnxruntime_runs(target.pull(file), len(calls))
            model = bundle.file(graph_file("onnxruntime", graph)).read_bytes()
            runs = with_inputs(runs, read_nodes(model))
        else:
            runs = [litert_run(call["operators"]) for call in calls]
        call_ms = median(call["ms"] for call in calls)
        found[graph] = summary(runs, call_ms, _matrices(bundle, graph))
    return found


def summary(
    runs: Sequence[Sequence[Operator]], call_ms: float, matrices: Iterable[str]
) -> dict[str, Any]:
    """`call_ms` with the profiler on, `calls` and `operators`, each with its median and share.

    Args:
        matrices: names of which an operator that reads one gets it as its `layer`.

    Raises:
        DeviceError: calls did not run the same operators.
    """
    kinds = [[(one.name, one.operator) for one in run] for run in runs]
    if any(other != kinds[0] for other in kinds):
        raise DeviceError(
            "two calls did not run the same operators",
            where="profile",
            hint="measure without --per-layer",
        )
    us = [median(one.us for one in same) for same in zip(*runs, strict=True)]
    whole = sum(us) or 1.0
    operators = [
        {**_named(one, set(matrices)), "p50_ms": round(t * US, 6), "share": t / whole}
        for one, t in zip(runs[0], us, strict=True)
    ]
    return {"call_ms": call_ms, "calls": len(runs), "operators": operators}


def _named(one: Operator, matrices: Collection[str]) -> dict[str, str]:
    read = (name.removesuffix(PACKED_SUFFIX) for name in one.inputs)
    layer = next((name for name in read if name in matrices), None)
    return {"name": one.name, "operator": one.operator, **({"layer": layer} if layer else {})}


def litert_run(events: Sequence[Mapping[str, Any]]) -> list[Operator]:
    """XNNPACK names the kinds of its operators, and not what they compute."""
    return [
        Operator(
            name="" if event["delegated"] else event["name"],
            operator=f"{XNNPACK}: {event['operator']}" if event["delegated"] else event["operator"],
            us=event["us"],
            inputs=tuple(event["inputs"]),
        )
        for event in events
    ]


def onnxruntime_runs(text: bytes, count: int) -> list[list[Operator]]:
    """ONNX Runtime's file of events -> the operators of its last `count` runs.

    Raises:
        DeviceError: it is no such file, or has fewer runs.
    """
    try:
        runs = list(_runs(json.loads(text)))
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(f"it cannot be read: {error}") from error
    if len(runs) < count:
        raise _unreadable(f"it has {len(runs)} runs, not {count}")
    return runs[-count:]


def _runs(events: Iterable[Mapping[str, Any]]) -> Iterator[list[Operator]]:
    """An event is written at its end: that of a run behind those of its nodes."""
    nodes: list[Operator] = []
    for event in events:
        if event["name"] == "model_run":
            yield nodes
            nodes = []
        elif event["cat"] == "Node" and event["name"].endswith(ONNX_SUFFIX):
            nodes.append(_operator(event))


def _operator(node: Mapping[str, Any]) -> Operator:
    name = str(node["name"]).removesuffix(ONNX_SUFFIX)
    return Operator(name, str(node["args"]["op_name"]), float(node["dur"]))


def _unreadable(reason: str) -> DeviceError:
    return DeviceError(
        f"ONNX Runtime's profile is not as expected: {reason}",
        where="profile",
        hint="measure without --per-layer",
    )


def with_inputs(
    runs: Sequence[Sequence[Operator]], nodes: Sequence[OnnxNode]
) -> list[list[Operator]]:
    """The runs, each operator with what its node in the file reads."""
    known = {node.name: node.inputs for node in nodes}

    def inputs(name: str) -> tuple[str, ...]:
        # One that the runtime fused is called NODE/RULE.
        return known.get(name, known.get(name.partition("/")[0], ()))

    return [[replace(one, inputs=inputs(one.name)) for one in run] for run in runs]


def _matrices(bundle: Bundle, graph: str) -> set[str]:
    """Names of its matrices, as the export noted them."""
    layers = weights_of(bundle.manifest).get("layers", [])
    return {str(layer["name"]) for layer in layers if layer["graph"] == graph}
