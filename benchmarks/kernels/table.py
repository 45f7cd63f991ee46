"""Sparse against dense products inside LiteRT and ONNX Runtime, and against torch's CSR.

python -m benchmarks.kernels.table [--cold] [--shapes 2048x512,...] [--batches 1,3] [--checkpoint C]

Prints Markdown: how many times faster the packed form is than each dense one, per share of zeros,
and every cell where it is slower than the best int8 of the same runtime. --checkpoint takes the
masks of a checkpoint in place of uniform ones.
"""

import argparse
import platform
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.kernels import in_litert, in_onnxruntime, in_torch
from benchmarks.kernels.layers import (
    BATCHES,
    SHAPES,
    SPARSITIES,
    copies_of,
    layers_of,
    uniform,
)
from benchmarks.kernels.options import integers, numbers, shapes
from benchmarks.kernels.timing import Times, cpu_name, largest_cache, measure
from capexport.compress.dispatch import ROWS_OF_X, is_faster_packed
from capexport.ir.graph import Constant

DENSE = {
    "LiteRT int8": in_litert.int8,
    "LiteRT int4": in_litert.int4,
    "ORT fused int8": in_onnxruntime.fused_int8,
    "ORT int8 per row": in_onnxruntime.rows_int8,
    "ORT fp32": in_onnxruntime.fp32,
}
SPARSE = {
    "LiteRT packed": in_litert.packed,
    "ORT packed": in_onnxruntime.packed,
    "torch CSR": in_torch.csr,
}
STOCK_INT8 = {"LiteRT": ["LiteRT int8"], "ORT": ["ORT fused int8", "ORT int8 per row"]}
"""What a runtime can do without us: the packed form has to beat the fastest of them."""
LOSS = 0.98
MOST_BEAMS = 5
HOT_COPIES, SMALL = 4, 1 << 20
"""A hot layer below SMALL weights is there four times, so that the call itself counts less."""
COLD_WEIGHTS = 4 << 20
"""A cold call reads about this many weights, each once."""


class Case(NamedTuple):
    """Weights that differ in their zeros only, and how many rows of x they meet.

    A file stores a weight in one form for all beams or regions: `decided` rows choose it.
    """

    name: str
    weights: tuple[Constant, ...]
    batch: int
    decided: int


class Result(NamedTuple):
    """A measured case: ratios[form][i] belongs to case.weights[i]."""

    case: Case
    stock_us: float
    ratios: dict[str, list[float]]


def cases(given: argparse.Namespace) -> Iterator[Case]:
    if given.checkpoint:
        for layer in layers_of(given.checkpoint):
            batches = [n for n in given.batches if (n > MOST_BEAMS) == (layer.axis == "regions")]
            for batch in batches if layer.axis else [1]:
                decided = ROWS_OF_X.get(layer.axis, 1)
                yield Case(layer.weight.name, (layer.weight,), batch, decided)
        return
    for rows, columns in given.shapes:
        weights = tuple(uniform(rows, columns, zeros, 1) for zeros in given.sparsities)
        for batch in given.batches:
            decided = ROWS_OF_X["beams" if batch <= MOST_BEAMS else "regions"]
            yield Case(f"{rows}x{columns}", weights, batch, decided)


def measured(case: Case, budget_s: float, *, cold: bool) -> Result:
    size = case.weights[0].data.size
    count = -(-COLD_WEIGHTS // size) if cold else HOT_COPIES if size < SMALL else 1
    sets = [copies_of(weight, count) for weight in case.weights]
    calls = {name: make(sets[-1], case.batch) for name, make in DENSE.items()}
    for i, weights in enumerate(sets):
        calls |= {f"{name} {i}": make(weights, case.batch) for name, make in SPARSE.items()}
    times = measure(calls, budget_s, cold=cold)
    stock = times.median(times.fastest(STOCK_INT8["LiteRT"])) / count
    return Result(case, stock, {name: list(row) for name, row in _ratios(times, len(sets))})


def _ratios(times: Times, sets: int) -> Iterator[tuple[str, list[float]]]:
    """Each form of the case against the packed one of its runtime."""
    for name in DENSE:
        packed = f"{name.split()[0]} packed"
        yield name, [times.ratio(name, f"{packed} {i}") for i in range(sets)]
    pairs = [(f"torch CSR {i}", f"LiteRT packed {i}") for i in range(sets)]
    yield "torch CSR", [times.ratio(*pair) for pair in pairs]


def best_stock(result: Result, runtime: str) -> list[float]:
    """Against the fastest int8 of the runtime, per weight."""
    rows = [result.ratios[name] for name in STOCK_INT8[runtime]]
    return [min(ratios) for ratios in zip(*rows, strict=True)]


def print_row(result: Result) -> None:
    cells = ["/".join(f"{r:.2g}" for r in ratios) for ratios in result.ratios.values()]
    case = result.case
    print(
        f"| {case.name} | {case.batch} | {result.stock_us:.1f} | {' | '.join(cells)} |", flush=True
    )


class Cell(NamedTuple):
    """One weight in one runtime: `in_file` and `here` say whether the rule packs it, for the rows
    that decide what the file holds and for the rows of this very cell."""

    name: str
    in_file: bool
    here: bool
    ratio: float


def cells(results: Sequence[Result]) -> Iterator[Cell]:
    for result in results:
        case = result.case
        for runtime in STOCK_INT8:
            ratios = best_stock(result, runtime)
            for weight, ratio in zip(case.weights, ratios, strict=True):
                zeros = 1 - weight.nnz / weight.data.size
                in_file, here = (is_faster_packed(weight, n) for n in (case.decided, case.batch))
                name = f"{runtime} {case.name} N={case.batch} {zeros:.3f}"
                yield Cell(name, in_file, here, ratio)


def print_losses(results: Sequence[Result]) -> None:
    found = list(cells(results))
    print(f"\n{len(found)} cells. Ratio to the best int8 of the runtime below {LOSS}:")
    for title, chosen in (
        ("in a packed file", [c for c in found if c.in_file and c.ratio < LOSS]),
        (
            "of these, where the rule says so for N as well",
            [c for c in found if c.in_file and c.here and c.ratio < LOSS],
        ),
        ("left dense by the rule", [c for c in found if not c.in_file and c.ratio < LOSS]),
    ):
        print(f"\n{title}: {len(chosen)}")
        print("".join(f"- {c.name}: {c.ratio:.2f}\n" for c in chosen), end="")
    missed = [c for c in found if not c.in_file and c.ratio >= LOSS]
    print(f"\nleft dense although packed is not slower: {len(missed)}")


def print_head(given: argparse.Namespace) -> None:
    state = "cold" if given.cold else "hot"
    zeros = "of the checkpoint" if given.checkpoint else "/".join(map(str, given.sparsities))
    cache = largest_cache() >> 20
    print(f"{cpu_name()}, {platform.system()}, largest cache {cache} MiB, one thread, {state}.")
    print(f"Times faster than each form, zeros {zeros}.\n")
    print(f"| weights | N | LiteRT int8, us | {' | '.join([*DENSE, 'torch CSR'])} |")
    print(f"|{'---|' * (len(DENSE) + 4)}")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("--shapes", type=shapes, default=SHAPES)
    parser.add_argument("--batches", type=integers, default=BATCHES)
    parser.add_argument("--sparsities", type=numbers, default=SPARSITIES)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--budget", type=float, default=1.0, help="seconds per row of the table")
    return parser.parse_args()


def main() -> None:
    given = options()
    print_head(given)
    results = []
    for case in cases(given):
        results.append(measured(case, given.budget, cold=given.cold))
        print_row(results[-1])
    print_losses(results)


if __name__ == "__main__":
    main()
