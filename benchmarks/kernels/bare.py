"""The kernels without a runtime: which one is the fastest for a shape, batch and share of zeros.

python -m benchmarks.kernels.bare [--shapes 2048x512,...] [--batches 1,3]    prints Markdown

Each kernel of this CPU takes the same weights through `ck_run`, quantization of x included. What
`src/choose.c` says for the CPU, and for one with AVX2 only, rests on this table.
"""

import argparse
import ctypes
from collections.abc import Callable

import numpy as np

from benchmarks.kernels.graphs import inputs_of
from benchmarks.kernels.layers import BATCHES, SHAPES, SPARSITIES, uniform
from benchmarks.kernels.options import integers, numbers, shapes
from benchmarks.kernels.timing import cpu_name, measure
from capexport.ir.graph import Constant
from capexport.kernels import interface
from capexport.kernels.library import KernelLibrary, load
from capexport.kernels.matrix import aligned


def runner(library: KernelLibrary, weight: Constant, kernel: int, batch: int) -> Callable[[], int]:
    """One product; memory is taken before, so that nothing but the kernel is timed."""
    c = interface.declare(ctypes.CDLL(str(library.path)))
    weights, plan = interface.Weights(), interface.Plan()
    c.ck_weights_dense(weights, weight.data.ctypes.data, *weight.shape)
    work = aligned(c.ck_work_size(weights))
    c.ck_make_plan(weights, kernel, work.ctypes.data, plan)
    packed = aligned(plan.packed_size)
    c.ck_pack(weights, plan, None, None, work.ctypes.data, packed.ctypes.data)
    scratch = aligned(c.ck_scratch_size(packed.ctypes.data, batch))
    (x,) = inputs_of([weight], batch)
    y = np.zeros((batch, weight.shape[0]), np.float32)
    memory = packed, x, y, scratch
    addresses = [array.ctypes.data for array in memory]

    def run() -> int:
        assert memory  # kept alive with this function
        return int(c.ck_run(addresses[0], addresses[1], batch, 0, addresses[2], addresses[3]))

    return run


def row(library: KernelLibrary, weight: Constant, batch: int) -> str:
    kernels = [k for k in library.kernels if k.supported and k.isa]
    calls = {k.name: runner(library, weight, k.number, batch) for k in kernels}
    times = measure(calls, 0.2, cold=False)
    rows, columns = weight.shape
    chosen = library.choose(rows, columns, weight.nnz, batch, required=True).kernel
    cells = [f"{times.median(name):.1f}" for name in calls]
    return " | ".join([*cells, times.fastest(list(calls)), str(chosen)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shapes", type=shapes, default=SHAPES)
    parser.add_argument("--batches", type=integers, default=BATCHES)
    parser.add_argument("--sparsities", type=numbers, default=SPARSITIES)
    given = parser.parse_args()
    library = load()
    names = [k.name for k in library.kernels if k.supported and k.isa]
    print(f"{cpu_name()}, one thread, hot; microseconds.\n")
    print(f"| weights | zeros | N | {' | '.join(names)} | fastest | chosen |")
    print(f"|{'---|' * (len(names) + 5)}")
    for rows, columns in given.shapes:
        for zeros in given.sparsities:
            weight = uniform(rows, columns, zeros, 1)
            for batch in given.batches:
                cells = f"{rows}x{columns} | {zeros} | {batch} | {row(library, weight, batch)}"
                print(f"| {cells} |", flush=True)


if __name__ == "__main__":
    main()
