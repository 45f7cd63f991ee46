"""The operators for ONNX Runtime: exact for every shape, and a loud no for everything damaged."""

import ctypes
import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnxruntime
import packed_onnx
import pytest
from cksb_blobs import WITH_FLOATS
from onnx import TensorProto
from onnxruntime.capi import onnxruntime_pybind11_state as faults
from packed_onnx import open_packed

from capexport.ir.evaluate import evaluate
from capexport.ir.graph import Array, Constant, Graph, Node, QuantParams
from capexport.kernels import cksb
from capexport.kernels.build import build
from capexport.spec.signature import TensorSpec

BATCHES = (1, 2, 3, 4, 5, 6, 7, 8, 36, 100, 1)
SHAPES = ((1, 1), (1, 67), (67, 1), (7, 13), (31, 300), (300, 257))
SPARSITIES = (0.8, 0.95, 0.999, 1.0)
"""0.999 and 1.0 leave whole rows without a weight."""
REFUSED = (faults.InvalidArgument, faults.Fail, faults.RuntimeException)


def constants_of(rows: int, columns: int, sparsity: float = 0.9) -> dict[str, Array]:
    """Dense int8 weight [rows, columns], scale and bias."""
    rng = np.random.default_rng(rows + columns)
    weight = rng.integers(-127, 128, (rows, columns)).astype(np.int8)
    weight[rng.random(weight.shape) < sparsity] = 0
    scale = rng.uniform(1e-3, 1e-2, rows).astype(np.float32)
    return {"weight": weight, "scale": scale, "bias": normal(rows)}


def normal(*shape: int) -> Array:
    return np.random.default_rng(sum(shape)).normal(0, 2, shape).astype(np.float32)


def blob_of(weight: Array) -> Array:
    return np.frombuffer(cksb.encode(weight), np.uint8)


def matmul(constants: Mapping[str, Array | None], *, relu: bool = False) -> bytes:
    return packed_onnx.one_node("SparseInt8MatMul", TensorProto.FLOAT, constants, relu=int(relu))


def matmul_of(constants: Mapping[str, Array], *, relu: bool = False) -> bytes:
    return matmul({**constants, "weight": blob_of(constants["weight"])}, relu=relu)


def gather_of(constants: Mapping[str, Array]) -> bytes:
    table = {"weight": blob_of(constants["weight"]), "scale": constants["scale"]}
    return packed_onnx.one_node("SparseInt8Gather", TensorProto.INT32, table)


def meaning(node: Node, constants: Mapping[str, Array], x: Array) -> Array:
    """What the numpy oracle says."""
    weight = Constant("weight", constants["weight"], QuantParams(constants["scale"]))
    stored = {"weight": weight, "bias": Constant("bias", constants["bias"])}
    values = {"x": TensorSpec("x", x.shape), "y": TensorSpec("y", ("any",))}
    return evaluate(Graph("meaning", ("x",), ("y",), (node,), values, stored), {"x": x})["y"]


def product(constants: Mapping[str, Array], x: Array, *, relu: bool = False) -> Array:
    attributes = {"activations": "dynamic", "relu": relu}
    return meaning(Node("linear", ("x", "weight", "bias"), ("y",), attributes), constants, x)


def lookup(constants: Mapping[str, Array], ids: Array) -> Array:
    return meaning(Node("embedding", ("weight", "x"), ("y",)), constants, ids)


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("sparsity", SPARSITIES)
@pytest.mark.parametrize(("rows", "columns"), SHAPES)
def test_a_product_equals_the_oracle_bit_for_bit(
    rows: int, columns: int, sparsity: float, relu: bool
) -> None:
    constants = constants_of(rows, columns, sparsity)
    session = open_packed(matmul_of(constants, relu=relu))
    for n in BATCHES:
        x = normal(n, columns)
        got = packed_onnx.run(session, {"x": x})
        np.testing.assert_array_equal(got, product(constants, x, relu=relu), strict=True)


@pytest.mark.parametrize("shape", [(13,), (1, 13), (2, 3, 13), (2, 1, 5, 1, 13)])
def test_the_last_axis_of_x_is_multiplied_whatever_the_rank(shape: tuple[int, ...]) -> None:
    constants = constants_of(7, 13)
    got = packed_onnx.run(open_packed(matmul_of(constants)), {"x": normal(*shape)})
    np.testing.assert_array_equal(got, product(constants, normal(*shape)), strict=True)


def test_no_rows_give_no_rows() -> None:
    session = open_packed(matmul_of(constants_of(7, 13)))
    assert packed_onnx.run(session, {"x": normal(0, 13)}).shape == (0, 7)


def test_rows_with_special_ranges_are_exact() -> None:
    constants, x = constants_of(31, 64), normal(9, 64)
    x[0], x[1], x[2] = 0, np.abs(x[1]), -np.abs(x[2])
    x[3], x[4], x[5, 1:] = 3.25, -3.25, 0
    x[6] *= 1e-15
    x[7] *= 1e15
    x[8] = np.linspace(-127.5, 127.5, 64)  # steps of 1: everything is a tie
    session = open_packed(matmul_of(constants))
    for rows in (x, x[:5], x[5:]):
        got = packed_onnx.run(session, {"x": rows})
        np.testing.assert_array_equal(got, product(constants, rows))


def test_only_the_row_that_holds_a_nan_becomes_nan() -> None:
    constants, x = constants_of(31, 64), normal(3, 64)
    expected = product(constants, x)
    x[1, 5] = np.nan
    got = packed_onnx.run(open_packed(matmul_of(constants, relu=False)), {"x": x})
    assert np.isnan(got[1]).all()
    np.testing.assert_array_equal(got[[0, 2]], expected[[0, 2]])


@pytest.mark.parametrize("shape", [(1,), (7,), (2, 3), ()])
def test_a_lookup_equals_the_oracle_bit_for_bit(shape: tuple[int, ...]) -> None:
    constants = constants_of(301, 67)
    ids = np.random.default_rng(3).integers(0, 301, shape).astype(np.int32)
    got = packed_onnx.run(open_packed(gather_of(constants)), {"x": ids})
    np.testing.assert_array_equal(got, lookup(constants, ids), strict=True)


def test_first_last_and_empty_rows_are_found() -> None:
    constants = constants_of(5, 600, 0.99)
    constants["weight"][2] = 0
    ids = np.array([4, 2, 0, 2], np.int32)
    got = packed_onnx.run(open_packed(gather_of(constants)), {"x": ids})
    np.testing.assert_array_equal(got, lookup(constants, ids))


@pytest.mark.parametrize("version", [1, 2, 3])
def test_short_vectors_mean_the_same(version: int) -> None:
    """A scale without those of empty rows, and one 0 for no bias."""
    constants = {**constants_of(300, 67, 0.99), "bias": np.zeros(300, np.float32)}
    scale = constants["scale"][constants["weight"].any(axis=1)]
    assert len(scale) < 300
    blob = np.frombuffer(cksb.encode(constants["weight"], version=version), np.uint8)
    short = {"weight": blob, "scale": scale, "bias": np.zeros(1, np.float32)}
    session, ids = open_packed(matmul(short)), np.arange(300, dtype=np.int32)
    for x in (normal(1, 67), normal(36, 67)):
        np.testing.assert_array_equal(packed_onnx.run(session, {"x": x}), product(constants, x))
    del short["bias"]
    table = open_packed(packed_onnx.one_node("SparseInt8Gather", TensorProto.INT32, short))
    np.testing.assert_array_equal(packed_onnx.run(table, {"x": ids}), lookup(constants, ids))


def packed_floats(**instead: Array) -> dict[str, Array]:
    """What a file has where scale and bias are in the blob."""
    one, zero = np.ones(1, np.float32), np.zeros(1, np.float32)
    weight = np.frombuffer(WITH_FLOATS, np.uint8)
    return {"weight": weight, "scale": one, "bias": zero, **instead}


def test_floats_in_the_blob_mean_the_same() -> None:
    content = cksb.decode(WITH_FLOATS)
    constants = {"weight": content.weights, "scale": content.scale, "bias": content.bias}
    given = packed_floats()
    session, ids = open_packed(matmul(given)), np.array([1, 0, 1], np.int32)
    for x in (normal(1, 600), normal(36, 600)):
        np.testing.assert_array_equal(packed_onnx.run(session, {"x": x}), product(constants, x))
    del given["bias"]
    table = open_packed(packed_onnx.one_node("SparseInt8Gather", TensorProto.INT32, given))
    np.testing.assert_array_equal(packed_onnx.run(table, {"x": ids}), lookup(constants, ids))


@pytest.mark.parametrize("name", ["scale", "bias"])
@pytest.mark.parametrize("other", [np.full(1, 2, np.float32), np.ones(2, np.float32)])
def test_floats_in_the_blob_and_beside_it_are_refused(name: str, other: Array) -> None:
    with pytest.raises(REFUSED, match=f"node layer: the weight has its {name}(s|es), but"):
        open_packed(matmul(packed_floats(**{name: other})))


def test_one_bias_for_all_rows_must_be_0() -> None:
    constants = {**constants_of(7, 13), "bias": np.ones(1, np.float32)}
    with pytest.raises(REFUSED, match="node layer: bias is one float for all rows, but not 0"):
        open_packed(matmul_of(constants))


# ---- threads


def in_threads(work: list[Callable[[], Array]]) -> list[Array]:
    """Results of all of them, run at the same time."""
    results: dict[int, Array] = {}
    together = threading.Barrier(len(work))

    def start(number: int) -> None:
        together.wait()
        results[number] = work[number]()

    threads = [threading.Thread(target=start, args=(i,)) for i in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results[i] for i in range(len(work))]


@pytest.mark.parametrize("sessions", [1, 2])
def test_calls_at_the_same_time_do_not_disturb_each_other(sessions: int) -> None:
    """The first calls of a fresh session also race for the packing of its weight."""
    constants = constants_of(300, 257)
    opened = [open_packed(matmul_of(constants)) for _ in range(sessions)]
    inputs = [normal(n, 257) for n in (1, 36, 2, 36, 5, 100, 36, 1)]

    def calls(number: int) -> Callable[[], Array]:
        given, session = {"x": inputs[number]}, opened[number % sessions]
        return lambda: [packed_onnx.run(session, given) for _ in range(30)][-1]

    for x, got in zip(inputs, in_threads([calls(i) for i in range(len(inputs))]), strict=True):
        np.testing.assert_array_equal(got, product(constants, x))


@pytest.mark.parametrize("rows", [300, 511, 512, 513, 2000])
def test_threads_that_share_a_call_compute_the_same(rows: int) -> None:
    constants = constants_of(rows, 67)
    session = open_packed(matmul_of(constants), threads=3)
    for n in (1, 3, 36):
        x = normal(n, 67)
        np.testing.assert_array_equal(packed_onnx.run(session, {"x": x}), product(constants, x))


# ---- damage


def changed(at: int, value: int) -> Callable[[bytearray], None]:
    return lambda blob: blob.__setitem__(at, value)


DAMAGES: dict[str, tuple[Callable[[bytearray], Any], str]] = {
    "empty": (bytearray.clear, "does not start with CKSB"),
    "magic": (changed(0, 0), "does not start with CKSB"),
    "version": (changed(4, 9), "unknown version"),
    "shorter": (lambda blob: blob.__delitem__(slice(-16, None)), "shorter than its header says"),
    "longer": (lambda blob: blob.extend(bytes(16)), "longer than its header says"),
    "no rows": (changed(8, 0), "rows or columns are out of range"),
    "padding": (changed(-1, 1), "padding of a blob section is not zero"),
    "columns": (changed(12, 9), "column of the blob is out of range"),
}


@pytest.mark.parametrize("op", ["SparseInt8MatMul", "SparseInt8Gather"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_blob_is_refused_with_its_reason_and_node(op: str, damage: str) -> None:
    constants: dict[str, Array] = constants_of(7, 13, 0.5)
    damaging, reason = DAMAGES[damage]
    blob = bytearray(cksb.encode(constants["weight"]))
    damaging(blob)
    constants["weight"] = np.frombuffer(bytes(blob), np.uint8)
    if op == "SparseInt8Gather":
        del constants["bias"]
        model = packed_onnx.one_node(op, TensorProto.INT32, constants)
    else:
        model = matmul(constants)
    with pytest.raises(REFUSED, match=f"{op} node layer: .*{reason}"):
        open_packed(model)


@pytest.mark.parametrize("name", ["scale", "bias"])
@pytest.mark.parametrize("shape", [(6,), (8,), (7, 1), ()])
def test_a_vector_that_does_not_fit_is_refused(name: str, shape: tuple[int, ...]) -> None:
    constants = {**constants_of(7, 13, 0.5), name: normal(*shape)}  # no row is empty
    with pytest.raises(REFUSED, match=f"node layer: {name} is not one float per row"):
        open_packed(matmul_of(constants))


@pytest.mark.parametrize("name", ["weight", "scale", "bias"])
def test_what_is_packed_must_be_constant(name: str) -> None:
    constants = constants_of(7, 13)
    given = {**constants, "weight": blob_of(constants["weight"]), name: None}
    with pytest.raises(REFUSED, match="node layer: weight, scale and bias must be constants"):
        open_packed(matmul(given))


@pytest.mark.parametrize("shape", [(3, 12), (3, 14), (12,), (13, 1), ()])
def test_x_that_does_not_fit_is_refused(shape: tuple[int, ...]) -> None:
    session = open_packed(matmul_of(constants_of(7, 13)))
    with pytest.raises(REFUSED, match="node layer: the last axis of x is not as long as"):
        session.run(None, {"x": normal(*shape)})


@pytest.mark.parametrize("id_", [-1, 7, 2**31 - 1, -(2**31)])
def test_a_row_that_does_not_exist_is_refused(id_: int) -> None:
    session = open_packed(gather_of(constants_of(7, 13)))
    with pytest.raises(REFUSED, match=f"node layer: there is no row {id_} in a table of 7"):
        session.run(None, {"x": np.array([3, id_], np.int32)})


def test_more_axes_than_eight_are_refused() -> None:
    matmul_session = open_packed(matmul_of(constants_of(7, 13)))
    with pytest.raises(REFUSED, match="node layer: an input has more than 8 axes"):
        matmul_session.run(None, {"x": normal(*[1] * 8, 13)})
    with pytest.raises(REFUSED, match="node layer: the ids have more than 7 axes"):
        open_packed(gather_of(constants_of(7, 13))).run(None, {"x": np.zeros([1] * 8, np.int32)})


def test_without_the_library_the_model_does_not_open() -> None:
    with pytest.raises(faults.Fail, match="capexport:SparseInt8MatMul"):
        onnxruntime.InferenceSession(matmul_of(constants_of(7, 13)))


# ---- the library itself


def library() -> ctypes.CDLL:
    return ctypes.CDLL(str(build(product="onnxruntime")))


def test_the_library_exports_its_entry_point_only() -> None:
    assert hasattr(library(), "RegisterCustomOps")
    assert not hasattr(library(), "ck_run")
    assert not hasattr(library(), "node_error")


class ApiBase(ctypes.Structure):
    """OrtApiBase."""

    _fields_ = (("get_api", ctypes.c_void_p), ("get_version", ctypes.c_void_p))


def test_an_older_runtime_is_told_what_is_needed() -> None:
    messages: list[bytes] = []
    status = ctypes.c_int()

    @ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p)
    def create_status(_code: int, message: bytes) -> int:
        messages.append(message)
        return ctypes.addressof(status)

    table = ctypes.cast(create_status, ctypes.c_void_p)  # the first function of the oldest level

    @ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_uint32)
    def get_api(level: int) -> int | None:
        return ctypes.addressof(table) if level == 1 else None

    base = ApiBase(ctypes.cast(get_api, ctypes.c_void_p), None)
    register = library().RegisterCustomOps
    register.restype = ctypes.c_void_p
    assert register(None, ctypes.byref(base)) == ctypes.addressof(status)
    assert messages == [b"the sparse operators of capexport need ONNX Runtime 1.17 or later"]
