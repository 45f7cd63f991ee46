"""The execution provider: files as they are, the CPU provider's bits, a reason per node."""

import ctypes
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.capi import onnxruntime_pybind11_state as faults
from onnxruntime.quantization import QuantType
from quantized_onnx import PROVIDER, devices, open_sparse, open_stock, quantized, session_options

from capexport.ir.graph import Array
from capexport.kernels import load
from capexport.kernels.build import build

BATCHES = (1, 2, 3, 5, 6, 36, 70, 1)
DTYPES = {np.dtype(np.uint8): TensorProto.UINT8, np.dtype(np.int8): TensorProto.INT8}


def sparse(k: int, m: int, sparsity: float = 0.95) -> Array:
    """Float weights [k, m]."""
    rng = np.random.default_rng(k + m)
    weights = rng.normal(size=(k, m)).astype(np.float32)
    weights[rng.random((k, m)) < sparsity] = 0
    return weights


def normal(*shape: int) -> Array:
    return np.random.default_rng(sum(shape)).normal(0, 2, shape).astype(np.float32)


def assert_equal_to_the_cpu_provider(model: bytes, inputs: Sequence[Mapping[str, Array]]) -> None:
    ours, stock = open_sparse(model, always="1"), open_stock(model)
    assert ours.get_providers()[0] == PROVIDER
    for given in inputs:
        for got, expected in zip(ours.run(None, given), stock.run(None, given), strict=True):
            np.testing.assert_array_equal(got, expected, strict=True)


def log_of(open_it: Callable[[Any], object], capfd: pytest.CaptureFixture[str]) -> list[str]:
    """What the provider says of each node while a session opens."""
    options = session_options()
    options.log_severity_level = 1
    capfd.readouterr()
    open_it(options)
    return re.findall(r"capexport: (node .*)", capfd.readouterr().err)


# ---- files of the quantization tool


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("weight_type", [QuantType.QInt8, QuantType.QUInt8])
@pytest.mark.parametrize("shape", [(1, 1), (67, 31), (300, 257), (512, 1000)])
def test_a_quantized_file_gives_the_same_bits(
    shape: tuple[int, int], weight_type: QuantType, per_channel: bool, tmp_path: Path
) -> None:
    """Whatever the tool writes: uint8 weights per channel have many zero points."""
    model = quantized({"w": sparse(*shape)}, tmp_path, weight_type, per_channel=per_channel)
    inputs = [{"x": normal(n, shape[0])} for n in BATCHES]
    assert_equal_to_the_cpu_provider(model, inputs)


def test_a_chain_of_sparse_and_dense_layers(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    weights = {"a": sparse(1500, 1400), "b": sparse(1400, 1600, 0.2), "c": sparse(1600, 90)}
    model = quantized(weights, tmp_path)
    ours, stock = open_sparse(model), open_stock(model)
    for n in (1, 3, 36):
        given = {"x": normal(n, 1500)}
        np.testing.assert_array_equal(ours.run(None, given), stock.run(None, given))
    large, dense, small = log_of(lambda options: open_sparse(model, options), capfd)
    assert re.match(r"node a_quant, 1400 x 1500 with \d+ non-zeros: ", large)
    assert re.match(r"node b_quant, .*: left alone, dense is faster$", dense)
    assert re.match(r"node c_quant, .*: left alone, dense is faster$", small)
    forced = log_of(lambda options: open_sparse(model, options, always="1"), capfd)
    assert not [line for line in forced if "left alone" in line]


def test_the_rule_decides_for_the_batch_that_is_asked_for(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Below two million weights only a single row of x is worth it, with many zeros."""
    model = quantized({"w": sparse(1200, 1000, 0.97)}, tmp_path)

    def taken(batch: str) -> bool:
        (line,) = log_of(lambda options: open_sparse(model, options, batch=batch), capfd)
        return "left alone" not in line

    takes_one_row = load().choose(1000, 1200, 36_000, 1).kernel is not None
    assert [taken(batch) for batch in ("1", "3", "36")] == [takes_one_row, False, False]


@pytest.mark.parametrize("option", ["batch", "always"])
@pytest.mark.parametrize("value", ["-1", "", "x", "1x", "9999999999"])
def test_other_values_of_options_are_refused(option: str, value: str) -> None:
    # onnxruntime hands on a provider's status as RuntimeError up to 1.31, by its code from 1.32 on.
    with pytest.raises((RuntimeError, faults.InvalidArgument), match=f"{option} is no number from"):
        open_sparse(integer(int8_weight()), **{option: value})


GROWTH = """
import ctypes, re, sys
from pathlib import Path
import quantized_onnx

def own():
    ctypes.CDLL(None).malloc_trim(0)
    return int(re.search(r"RssAnon:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024

quantized_onnx.devices()
model = Path(sys.argv[1]).read_bytes()
before = own()
session = quantized_onnx.open_sparse(model, always="1")
print(own() - before)
"""


def test_the_dense_weight_is_freed(tmp_path: Path) -> None:
    """In a process of its own: what a session adds to the memory that only this process has."""
    quantized({"w": sparse(4000, 4000, 0.95)}, tmp_path)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", GROWTH, str(tmp_path / "int8.onnx")]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert 0 < int(result.stdout) < 4000 * 4000 / 2


# ---- MatMulInteger by itself


def integer(
    b: Array,
    *,
    a: Array | None = None,
    a_zero: Array | str | None = None,
    b_zero: Array | None = None,
    variable: str = "",
) -> bytes:
    """y = (a - a_zero) (b - b_zero). Without `a` it is an input, as is a zero point "given";
    `variable` names an initializer that is an input as well, so that a run may replace it."""
    arrays = {"b": b, "a_zero": a_zero, "b_zero": b_zero}
    constants = {name: x for name, x in arrays.items() if isinstance(x, np.ndarray)}
    wanted = ["a", *(name if arrays[name] is not None else "" for name in arrays)]
    while not wanted[-1]:
        wanted.pop()
    a_type = DTYPES[a_zero.dtype] if isinstance(a_zero, np.ndarray) else TensorProto.UINT8
    values = [helper.make_tensor_value_info("a", a_type, None)] if a is None else []
    if isinstance(a_zero, str):
        values.append(helper.make_tensor_value_info("a_zero", TensorProto.UINT8, []))
    if variable:
        array = constants[variable]
        values.append(helper.make_tensor_value_info(variable, DTYPES[array.dtype], array.shape))
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", wanted, ["y"], "product")],
        "integer",
        values,
        [helper.make_tensor_value_info("y", TensorProto.INT32, None)],
        [
            numpy_helper.from_array(array, name)
            for name, array in {**constants, **({} if a is None else {"a": a})}.items()
        ],
    )
    model: onnx.ModelProto = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9
    )
    serialized: bytes = model.SerializeToString()
    return serialized


def integers(shape: tuple[int, ...], dtype: type, low: int, high: int) -> Array:
    return np.random.default_rng(sum(shape)).integers(low, high, shape).astype(dtype)


def int8_weight(k: int = 128, m: int = 77, sparsity: float = 0.95) -> Array:
    weights = integers((k, m), np.int8, -127, 128)
    weights[np.random.default_rng(1).random((k, m)) < sparsity] = 0
    return weights


@pytest.mark.parametrize("a_type", [np.uint8, np.int8])
@pytest.mark.parametrize("zero", [0, 7, 127])
def test_signs_and_zero_points_of_a(a_type: type, zero: int) -> None:
    limits: Any = np.iinfo(a_type)
    a = integers((5, 128), a_type, limits.min, limits.max + 1)
    a[0], a[1] = limits.min, limits.max
    model = integer(int8_weight(), a_zero=np.array(zero, a_type))
    assert_equal_to_the_cpu_provider(model, [{"a": a}, {"a": a[:1]}])


def test_a_zero_point_of_a_that_comes_at_run_time() -> None:
    a = integers((5, 128), np.uint8, 0, 256)
    inputs = [{"a": a, "a_zero": np.array(zero, np.uint8)} for zero in (0, 128, 255)]
    assert_equal_to_the_cpu_provider(integer(int8_weight(), a_zero="given"), inputs)


@pytest.mark.parametrize("sparsity", [0.0, 0.5, 0.999, 1.0])
def test_any_share_of_zeros_without_zero_points(sparsity: float) -> None:
    inputs = [{"a": integers((n, 128), np.uint8, 0, 256)} for n in BATCHES]
    assert_equal_to_the_cpu_provider(integer(int8_weight(sparsity=sparsity)), inputs)


@pytest.mark.parametrize("shape", [(128,), (2, 3, 128), (0, 128), (2, 0, 3, 128)])
def test_the_last_axis_of_a_is_multiplied_whatever_the_rank(shape: tuple[int, ...]) -> None:
    model = integer(int8_weight())
    got = open_sparse(model, always="1").run(None, {"a": integers(shape, np.uint8, 0, 256)})[0]
    exact = integers(shape, np.uint8, 0, 256).astype(np.int64) @ int8_weight().astype(np.int64)
    np.testing.assert_array_equal(got, exact)


def test_uint8_weights_around_a_zero_point() -> None:
    b = (int8_weight().astype(np.int16) + 128).astype(np.uint8)
    a = integers((5, 128), np.uint8, 0, 256)
    model = integer(b, a_zero=np.array(3, np.uint8), b_zero=np.array(128, np.uint8))
    assert_equal_to_the_cpu_provider(model, [{"a": a}])


def uneven_zeros() -> Array:
    zeros = np.zeros(77, np.int8)
    zeros[3] = 1
    return zeros


def with_the_least_weight() -> Array:
    weights = int8_weight()
    weights[0, 0] = -128
    return weights


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (integer(with_the_least_weight()), "a weight is further than 127 from zero"),
        (integer(int8_weight(), b_zero=uneven_zeros()), "the weight has several zero points"),
        (integer(int8_weight(), variable="b"), "the weight is not constant"),
        (
            integer(int8_weight(), b_zero=np.array(0, np.int8), variable="b_zero"),
            "the weight's zero point is not constant",
        ),
        (integer(int8_weight()[None]), "the weight is no matrix"),
    ],
)
def test_what_is_left_alone_is_said_and_runs(
    model: bytes, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert log_of(lambda options: open_sparse(model, options, always="1"), capfd) == [
        f"node product is left alone: {reason}"
    ]
    a = integers((5, 128), np.uint8, 0, 256)
    (got,), (expected,) = (
        open_sparse(model).run(None, {"a": a}),
        open_stock(model).run(None, {"a": a}),
    )
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"a": integers((5, 128), np.uint8, 0, 256)}, "A is constant as well"),
        ({"a_zero": np.array([1, 2, 3, 4, 5], np.uint8)}, "A has several zero points"),
    ],
)
def test_an_a_that_no_product_of_ours_can_have_leaves_the_node(
    changes: dict[str, Array], reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """The node alone, not the session. Constants are not folded, as they would be otherwise."""
    model = integer(int8_weight(), **changes)

    def open_unfolded(options: Any) -> Any:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        return open_sparse(model, options, always="1")

    assert log_of(open_unfolded, capfd) == [f"node product is left alone: {reason}"]
    if "a" in changes:
        (got,) = open_unfolded(session_options()).run(None, {})
        exact = changes["a"].astype(np.int64) @ int8_weight().astype(np.int64)
        np.testing.assert_array_equal(got, exact)


def test_an_a_that_does_not_fit_is_an_error() -> None:
    session = open_sparse(integer(int8_weight()), always="1")
    with pytest.raises(faults.InvalidArgument, match="node product: A does not fit the weight"):
        session.run(None, {"a": integers((5, 127), np.uint8, 0, 256)})


def test_threads_may_share_a_session() -> None:
    model, wrong = integer(int8_weight(600, 500)), []
    session = open_sparse(model, always="1")

    def work(n: int) -> None:
        a = integers((n, 600), np.uint8, 0, 256)
        expected = a.astype(np.int64) @ int8_weight(600, 500).astype(np.int64)
        for _ in range(50):
            if not np.array_equal(session.run(None, {"a": a})[0], expected):
                wrong.append(n)

    threads = [threading.Thread(target=work, args=(n,)) for n in (1, 3, 36)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# ---- the library


def test_the_provider_runs_on_the_cpu() -> None:
    (device,) = devices()
    assert device.ep_vendor == "capexport"
    assert device.device.type == onnxruntime.OrtHardwareDeviceType.CPU


def test_sessions_without_the_provider_are_as_before(tmp_path: Path) -> None:
    devices()
    model = quantized({"w": sparse(67, 31)}, tmp_path)
    assert open_stock(model).get_providers() == ["CPUExecutionProvider"]


def test_the_custom_operators_are_in_the_same_library() -> None:
    session_options().register_custom_ops_library(str(build(product="onnxruntime")))


class ApiBase(ctypes.Structure):
    """OrtApiBase."""

    _fields_ = (("get_api", ctypes.c_void_p), ("get_version", ctypes.c_void_p))


def test_an_older_runtime_is_told_what_is_needed() -> None:
    """It passes other arguments from the third on: they must not be touched."""
    messages: list[bytes] = []
    status = ctypes.c_int()

    @ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p)
    def create_status(_code: int, message: bytes) -> int:
        messages.append(message)
        return ctypes.addressof(status)

    table = ctypes.cast(create_status, ctypes.c_void_p)  # the first function of the oldest level

    @ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_uint32)
    def get_api(level: int) -> int | None:
        return ctypes.addressof(table) if level < 23 else None

    base = ApiBase(ctypes.cast(get_api, ctypes.c_void_p), None)
    create = ctypes.CDLL(str(build(product="onnxruntime"))).CreateEpFactories
    create.restype = ctypes.c_void_p
    arguments = b"name", ctypes.byref(base), None, None, ctypes.c_size_t(4), None
    assert create(*arguments) == ctypes.addressof(status)
    assert messages == [b"capexport's execution provider needs ONNX Runtime 1.23 or later"]
