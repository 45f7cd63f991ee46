"""Every kernel on this machine against numpy: does the built library compute what it should?"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from capexport.kernels.library import Kernel, KernelLibrary, load

SHAPES = ((1, 1), (16, 33), (37, 300), (130, 1000))
SPARSITIES = (0.0, 0.8, 0.97, 1.0)
BATCHES = (1, 2, 3, 5, 8, 36, 70)


@dataclass(frozen=True)
class Check:
    """What became of one kernel.

    Args:
        kernel: name.
        supported: the CPU has its instructions; without them nothing was run.
        products: number of products compared.
        wrong: the first ones that differ, in words; empty when all are exact.
    """

    kernel: str
    supported: bool
    products: int
    wrong: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.wrong


def self_test(library: KernelLibrary | None = None) -> list[Check]:
    """One Check per kernel of the library (default: the one for this machine, built if need be).

    Raises:
        RuntimeMissingError: there is no C compiler.
    """
    library = library or load()
    return [_check(library, kernel) for kernel in library.kernels]


def _check(library: KernelLibrary, kernel: Kernel) -> Check:
    if not kernel.supported:
        return Check(kernel.name, False, 0, ())
    results = list(_products(library, kernel))
    return Check(kernel.name, True, len(results), tuple(x for x in results if x)[:5])


def _products(library: KernelLibrary, kernel: Kernel) -> Iterator[str]:
    """One text per product, empty when it is exact."""
    rng = np.random.default_rng(0)
    for (rows, columns), sparsity in product(SHAPES, SPARSITIES):
        weights = random_weights(rng, rows, columns, sparsity)
        matrix = library.pack(library.weights(weights), kernel.name)
        x = rng.integers(-128, 128, (max(BATCHES), columns)).astype(np.int8)
        exact = x.astype(np.int64) @ weights.T.astype(np.int64)
        for n in BATCHES:
            same = np.array_equal(matrix.run_integer(x[:n]), exact[:n])
            yield "" if same else f"{rows} x {columns}, {sparsity:.0%} zeros, {n} rows of x"


def random_weights(
    rng: "np.random.Generator", rows: int, columns: int, sparsity: float
) -> NDArray[np.int8]:
    """int8 [rows, columns] in -127..127, each 0 with probability `sparsity`.

    The generator's type is quoted: naming it would load numpy.random, 3 MB, with the package.
    """
    weights = rng.integers(-127, 128, (rows, columns)).astype(np.int8)
    weights[rng.random(weights.shape) < sparsity] = 0
    return weights
