"""The rule that leaves a layer to the dense runtime, and that the C library states it too."""

from itertools import product

import numpy as np
import pytest

from capexport.compress.dispatch import is_faster_packed, least_zeros, rows_of_x
from capexport.errors import RuntimeMissingError
from capexport.ir.graph import Constant
from capexport.kernels.library import KernelLibrary, load

AVX512VNNI = 2


def weight(rows: int, columns: int, zeros: float) -> Constant:
    """The zeros come first: where they lie does not matter to the rule."""
    data = np.ones(rows * columns, np.int8)
    data[: round(zeros * data.size)] = 0
    return Constant("w", data.reshape(rows, columns))


@pytest.mark.parametrize(
    ("rows", "columns", "zeros", "batch", "faster"),
    [
        (1000, 1000, 0.80, 3, True),
        (1000, 1000, 0.799, 3, False),
        (1000, 1000, 0.80, 5, True),
        (1000, 1000, 0.79, 5, False),
        (4000, 3000, 0.84, 5, False),
        (4000, 3000, 0.85, 5, True),
        (4000, 3000, 0.80, 3, True),
        (576, 240, 0.84, 5, False),
        (576, 240, 0.85, 5, True),
        (3000, 144, 0.84, 3, False),
        (3000, 144, 0.85, 3, True),
        (3000, 144, 0.85, 1, True),
        (3000, 144, 0.87, 5, False),
        (3000, 144, 0.88, 5, True),
        (3000, 144, 0.99, 36, False),
        (3000, 144, 1.0, 36, False),
        (96, 144, 0.90, 36, True),
        (512, 240, 0.91, 36, False),
        (512, 256, 0.91, 36, True),
        (512, 256, 0.87, 36, False),
        (512, 63, 0.99, 1, False),
        (256, 63, 0.80, 36, True),
    ],
)
def test_the_rule(rows: int, columns: int, zeros: float, batch: int, faster: bool) -> None:
    assert is_faster_packed(weight(rows, columns, zeros), batch) is faster


def test_the_c_library_has_the_same_rule() -> None:
    library = x86_library()
    shapes = product((96, 250, 2750, 10000), (64, 191, 192, 255, 256, 4000))
    for (rows, columns), batch in product(shapes, (1, 2, 3, 4, 5, 6, 15, 16, 36, 49)):
        for nnz in (0, rows):
            chosen = library.choose(rows, columns, nnz, batch, isa=AVX512VNNI)
            assert chosen.least_sparsity == least_zeros(columns, rows * columns, batch)


def x86_library() -> KernelLibrary:
    try:
        library = load()
    except RuntimeMissingError as error:
        pytest.skip(error.what)
    if not any(kernel.isa & AVX512VNNI for kernel in library.kernels):
        pytest.skip("not an x86 library")
    return library


def test_named_axes_have_a_typical_length() -> None:
    assert rows_of_x((1, 7)) == 1
    assert rows_of_x(("beams", 7)) == 5
    assert rows_of_x(("regions", 7)) == 36
    assert rows_of_x(("beams", "regions", 7)) == 180
