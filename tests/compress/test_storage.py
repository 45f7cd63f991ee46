"""The rules that decide which constants are stored sparse, and which packed."""

import numpy as np
import pytest

from capexport.compress import choose_storage, refuse_nothing_packed
from capexport.compress.storage import is_smaller_sparse
from capexport.errors import UnsupportedError
from capexport.ir.graph import Constant, Graph, Node, QuantParams
from capexport.ir.ops import DYNAMIC, FLOAT
from capexport.spec.signature import TensorSpec


def matrix(density: float, dtype: type, shape: tuple[int, int] = (64, 300)) -> Constant:
    rng = np.random.default_rng(0)
    return Constant("w", ((rng.random(shape) < density) * 3).astype(dtype))


@pytest.mark.parametrize(
    ("density", "dtype", "sparse"),
    [
        (0.0, np.int8, True),
        (0.05, np.int8, True),
        (0.5, np.int8, False),
        (1.0, np.int8, False),
        (0.5, np.float32, True),
        (1.0, np.float32, False),
    ],
)
def test_sparse_exactly_where_it_is_smaller(density: float, dtype: type, sparse: bool) -> None:
    assert is_smaller_sparse(matrix(density, dtype)) is sparse


def test_vectors_stay_dense() -> None:
    assert not is_smaller_sparse(Constant("b", np.zeros(1000, np.float32)))


@pytest.mark.parametrize(
    ("form", "sparse"), [("auto", False), ("dense", False), ("stock-sparse", True)]
)
def test_the_form_decides(form: str, sparse: bool) -> None:
    graph = Graph("g", (), ("w",), (), {}, {"w": matrix(0.05, np.int8)})
    assert choose_storage(graph, form).constants["w"].sparse is sparse


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="no weight form 'thin'"):
        choose_storage(Graph("g", (), (), (), {}, {}), "thin")


# ---- packed


def quantized(name: str, shape: tuple[int, int], zeros: float) -> Constant:
    """The zeros come first: where they lie does not matter to the rule."""
    data = np.ones(shape[0] * shape[1], np.int8)
    data[: round(zeros * data.size)] = 0
    return Constant(name, data.reshape(shape), QuantParams(np.ones(shape[0], np.float32)))


def product(axis: str, weight: Constant, activations: str = DYNAMIC) -> Graph:
    """y = x W^T with x [axis, columns]."""
    rows, columns = weight.shape
    node = Node("linear", ("x", "w"), ("y",), {"activations": activations, "relu": False})
    values = {"x": TensorSpec("x", (axis, columns)), "y": TensorSpec("y", (axis, rows))}
    return Graph("g", ("x",), ("y",), (node,), values, {"w": weight}).check()


def lookup(table: Constant, *more: Node) -> Graph:
    """y = rows of the table, z = whatever `more` makes of it."""
    nodes = (Node("embedding", ("w", "ids"), ("y",)), *more)
    columns = table.shape[1]
    values = {
        "ids": TensorSpec("ids", ("beams",), "int32"),
        "y": TensorSpec("y", ("beams", columns)),
        "z": TensorSpec("z", ("beams", table.shape[0])),
    }
    return Graph("g", ("ids",), ("y",), nodes, values, {"w": table}).check()


@pytest.mark.parametrize(
    ("axis", "shape", "zeros", "packed"),
    [
        ("beams", (40, 300), 0.80, True),
        ("beams", (40, 144), 0.85, False),
        ("regions", (40, 300), 0.85, False),
        ("regions", (40, 300), 0.88, True),
        ("regions", (3000, 144), 0.99, False),
    ],
)
def test_a_linear_is_packed_where_that_is_faster(
    axis: str, shape: tuple[int, int], zeros: float, packed: bool
) -> None:
    graph = choose_storage(product(axis, quantized("w", shape, zeros)), "packed")
    assert graph.constants["w"].packed is packed


def test_a_lookup_is_packed_wherever_it_can_be() -> None:
    graph = choose_storage(lookup(quantized("w", (3000, 144), 0.8)), "packed")
    assert graph.constants["w"].packed


def test_a_table_that_a_slower_linear_reads_too_stays_dense() -> None:
    linear = Node("linear", ("y", "w"), ("z",), {"activations": DYNAMIC, "relu": False})
    for zeros, packed in ((0.85, False), (0.9, True)):
        graph = choose_storage(lookup(quantized("w", (3000, 144), zeros), linear), "packed")
        assert graph.constants["w"].packed is packed


@pytest.mark.parametrize(
    "graph",
    [
        product("beams", quantized("w", (40, 300), 0.79)),
        product("beams", quantized("w", (40, 300), 0.95), activations=FLOAT),
        product("beams", Constant("w", np.zeros((40, 300), np.float32))),
        lookup(quantized("w", (4, 65536), 0.95)),
        lookup(quantized("w", (40, 300), 0.95), Node("add", ("w", "w"), ("z",))),
    ],
    ids=["too few zeros", "float activations", "float weights", "too wide", "another reader"],
)
def test_graphs_without_a_weight_for_the_kernels_are_refused(graph: Graph) -> None:
    assert not any(c.packed for c in choose_storage(graph, "packed").constants.values())
    with pytest.raises(UnsupportedError, match="no weight of g and g is int8 with 80% zeros"):
        refuse_nothing_packed([graph, graph])
    refuse_nothing_packed([graph, product("beams", quantized("w", (40, 300), 0.95))])
