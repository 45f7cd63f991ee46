"""Dense-stored int8 files in LiteRT, without the delegate and with it: what taking a layer brings.

python -m benchmarks.kernels.claimed [--cold] [--shapes 2048x512,...] [--batches 1]

Prints Markdown. The files are not changed; `packed` is the same layer as capexport writes it.
"""

import argparse
from collections.abc import Sequence

from benchmarks.kernels import in_litert
from benchmarks.kernels.layers import SHAPES, copies_of, uniform
from benchmarks.kernels.options import integers, numbers, shapes
from benchmarks.kernels.table import COLD_WEIGHTS, HOT_COPIES, SMALL
from benchmarks.kernels.timing import cpu_name, measure
from capexport.ir.graph import Constant

FORMS = {
    "int8": in_litert.int8,
    "int8, delegate": in_litert.claimed_int8,
    "packed": in_litert.packed,
    "full int8": in_litert.full_int8,
    "full int8, delegate": in_litert.claimed_full_int8,
}
PAIRS = (
    ("int8", "int8, delegate"),
    ("int8", "packed"),
    ("full int8", "full int8, delegate"),
)


def cells(weights: Sequence[Constant], batch: int, budget_s: float, *, cold: bool) -> list[str]:
    """Microseconds of one dense layer of each kind, then how many times faster each pair is."""
    calls = {name: make(weights, batch) for name, make in FORMS.items()}
    times = measure(calls, budget_s, cold=cold)
    stock = [f"{times.median(name) / len(weights):.1f}" for name in ("int8", "full int8")]
    return [*stock, *(f"{times.ratio(*pair):.2f}" for pair in PAIRS)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("--shapes", type=shapes, default=SHAPES)
    parser.add_argument("--batches", type=integers, default=(1,))
    parser.add_argument("--sparsities", type=numbers, default=(0.9, 0.95))
    parser.add_argument("--budget", type=float, default=1.0, help="seconds per row of the table")
    given = parser.parse_args()
    print(f"{cpu_name()}, one thread, {'cold' if given.cold else 'hot'}.\n")
    heads = ["weights", "zeros", "N", "int8, us", "full int8, us"]
    heads += [f"{slow} / {fast}" for slow, fast in PAIRS]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for rows, columns in given.shapes:
        size = rows * columns
        hot = HOT_COPIES if size < SMALL else 1
        count = -(-COLD_WEIGHTS // size) if given.cold else hot
        for zeros in given.sparsities:
            weights = copies_of(uniform(rows, columns, zeros, 1), count)
            for batch in given.batches:
                found = cells(weights, batch, given.budget, cold=given.cold)
                row = [f"{rows}x{columns}", str(zeros), str(batch), *found]
                print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
