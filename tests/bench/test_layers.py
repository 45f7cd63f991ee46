"""Times by operator: both runtimes' own, of real runs, and what is made of their words."""

import json
from dataclasses import replace
from pathlib import Path

import onnx
import pytest

import capexport.bench.measurement
from capexport.bench import (
    Report,
    Settings,
    UnfinishedError,
    bench,
    read_report,
    write_report,
)
from capexport.bench.devices.host import Host
from capexport.bench.layers import (
    CALLS,
    Operator,
    litert_run,
    onnxruntime_runs,
    summary,
    with_inputs,
)
from capexport.bench.made_up import made_up
from capexport.bench.measurement import PROFILE, prepare, run_round
from capexport.bench.onnx_nodes import OnnxNode, read_nodes
from capexport.bench.weights import weights_of
from capexport.bundle import Bundle
from capexport.errors import DeviceError, InputError
from capexport.runtime import RUNTIMES

OURS = ("CapexportSparse", "SparseInt8")
GRAPHS = ("encoder", "decoder_step")


def short(runtime: str) -> Settings:
    return Settings(runtime, 2, rounds=1, samples=2, warm_up=1, per_layer=True)


@pytest.fixture(scope="module", params=RUNTIMES)
def packed(request: pytest.FixtureRequest, up_down: Bundle) -> Report:
    return bench(up_down, "host", short(request.param))


def test_each_packed_matrix_is_an_operator_with_its_name(packed: Report, up_down: Bundle) -> None:
    known = weights_of(up_down.manifest)["layers"]
    for graph in GRAPHS:
        operators = packed.layers_ms[graph]["operators"]
        ours = [one["layer"] for one in operators if one["operator"].startswith(OURS)]
        assert len(ours) == len(set(ours)) > 0
        assert set(ours) <= {layer["name"] for layer in known if layer["graph"] == graph}
        took_time = any(one["p50_ms"] for one in operators)  # a microsecond at least
        assert sum(one["share"] for one in operators) == pytest.approx(1 if took_time else 0)
        assert packed.layers_ms[graph]["calls"] == CALLS


def test_a_report_with_times_by_operator_comes_back(packed: Report, tmp_path: Path) -> None:
    assert packed.output["as_expected"]
    write_report(packed, tmp_path / "r.json")
    assert read_report(tmp_path / "r.json").layers_ms == packed.layers_ms


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_dense_operators_too(transformer: Bundle, runtime: str) -> None:
    layers = bench(transformer, "host", short(runtime)).layers_ms
    kinds = {one["operator"] for graph in GRAPHS for one in layers[graph]["operators"]}
    named = {one.get("layer") for graph in GRAPHS for one in layers[graph]["operators"]}
    if runtime == "litert":
        assert any(kind.startswith("XNNPACK: Fully Connected") for kind in kinds)
    else:
        assert named >= {x["name"] for x in weights_of(transformer.manifest)["layers"]}


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_operators_take_no_longer_than_their_call(
    up_down: Bundle, runtime: str, host: Host
) -> None:
    """Both clocks are the system's monotonic one; LiteRT's events follow each other."""
    _, given = made_up(up_down)
    prepare(host, up_down, short(runtime), given)
    told = run_round(host, short(runtime), description=PROFILE)
    for graph in GRAPHS:
        calls = told[graph]["calls"]
        runs = [litert_run(call["operators"]) for call in calls]
        if runtime == "onnxruntime":
            runs = onnxruntime_runs(host.pull(told[graph]["file"]), len(calls))
        assert len(calls) == CALLS
        for call, run in zip(calls, runs, strict=True):
            assert run
            assert sum(one.us for one in run) <= call["ms"] * 1000 + 1


def test_without_being_asked_there_are_none(up_down: Bundle) -> None:
    settings = replace(short("litert"), per_layer=False)
    assert "layers_ms" not in bench(up_down, "host", settings).document()


def test_rounds_are_not_lost_when_operators_cannot_be_timed(
    up_down: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise DeviceError("no profile", where="profile", hint="measure without it")

    monkeypatch.setattr(capexport.bench.measurement, "layers_ms", fails)
    with pytest.raises(UnfinishedError, match="no profile") as caught:
        bench(up_down, "host", short("litert"))
    assert caught.value.report.latency_ms["caption"]
    assert caught.value.report.doubts[0] == "operators: no profile"


def test_an_emulator_is_not_asked_for_time() -> None:
    with pytest.raises(InputError, match="a per-layer measurement is one of time"):
        short("litert").refuse_times()


# ---- what is made of it


@pytest.mark.parametrize("graph", GRAPHS)
def test_nodes_are_those_that_onnx_reads(up_down: Bundle, graph: str) -> None:
    path = up_down.file(f"{graph}.onnx")
    expected = [
        OnnxNode(node.name, node.op_type, tuple(node.input)) for node in onnx.load(path).graph.node
    ]
    assert read_nodes(path.read_bytes()) == expected


@pytest.mark.parametrize("model", [b"\x3a\x05\x0a", b"\x3a", b"\x3a\x80"])
def test_a_file_that_ends_early_is_none(model: bytes) -> None:
    with pytest.raises((ValueError, IndexError)):
        read_nodes(model)


def events(*runs: tuple[int, ...]) -> bytes:
    """Of runs with nodes a, b ... of some durations."""
    found: list[dict[str, object]] = [{"cat": "Session", "name": "session_initialization"}]
    for durations in runs:
        for i, duration in enumerate(durations):
            node = {"cat": "Node", "name": f"{chr(97 + i)}_kernel_time", "dur": duration}
            found.append({**node, "args": {"op_name": "Mul"}})
        found.append({"cat": "Session", "name": "model_run", "dur": sum(durations)})
    return json.dumps(found).encode()


def test_the_last_runs_of_onnxruntimes_file_count() -> None:
    text = events((90, 90), (4, 5), (6, 7))
    first, second = onnxruntime_runs(text, 2)
    assert first == [Operator("a", "Mul", 4.0), Operator("b", "Mul", 5.0)]
    assert [one.us for one in second] == [6.0, 7.0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [(events((1,)), "it has 1 runs, not 2"), (b"{", "cannot be read"), (b"[{}]", "'name'")],
)
def test_another_file_than_onnxruntimes(text: bytes, reason: str) -> None:
    with pytest.raises(DeviceError, match=reason):
        onnxruntime_runs(text, 2)


def test_medians_and_shares() -> None:
    runs = [
        [Operator("a", "Linear", us, ("x", "w.cksb")), Operator("", "XNNPACK: Add", 30)]
        for us in (10, 70, 50)
    ]
    found = summary(runs, 0.2, ["w"])
    assert found["calls"] == 3
    first, second = found["operators"]
    assert first == {"name": "a", "operator": "Linear", "layer": "w", "p50_ms": 0.05} | {
        "share": pytest.approx(50 / 80)
    }
    assert "layer" not in second


def test_calls_that_ran_other_operators() -> None:
    with pytest.raises(DeviceError, match="did not run the same operators"):
        summary([[Operator("a", "Mul", 1)], [Operator("b", "Mul", 1)]], 1.0, [])


def test_a_fused_node_reads_what_its_first_one_did() -> None:
    nodes = [OnnxNode("a", "MatMul", ("x", "w")), OnnxNode("b", "Add", ("a", "c"))]
    ((fused, other),) = with_inputs(
        [[Operator("a/MatMulAddFusion", "Gemm", 1), Operator("z", "Mul", 1)]], nodes
    )
    assert fused.inputs == ("x", "w")
    assert other.inputs == ()


def test_xnnpack_names_no_tensors() -> None:
    event = {"operator": "Add (ND)", "delegated": True, "us": 3, "name": "", "inputs": []}
    ours = {"operator": "X", "delegated": False, "us": 4, "name": "y", "inputs": ["x", "w"]}
    assert litert_run([event, ours]) == [
        Operator("", "XNNPACK: Add (ND)", 3),
        Operator("y", "X", 4, ("x", "w")),
    ]
