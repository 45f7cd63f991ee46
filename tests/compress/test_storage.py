"""The rule that decides which constants are stored sparse."""

import numpy as np
import pytest

from capexport.compress import choose_storage
from capexport.compress.storage import is_smaller_sparse
from capexport.errors import UnsupportedError
from capexport.ir.graph import Constant, Graph


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
    with pytest.raises(UnsupportedError, match="packed"):
        choose_storage(Graph("g", (), (), (), {}, {}), "packed")
