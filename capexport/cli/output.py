"""Results -> stdout: one JSON document for programs, a table for people."""

import json
import math
from collections.abc import Iterable, Sequence


def print_json(document: object) -> None:
    """Print one JSON document; a float that JSON cannot hold (nan, inf) becomes null."""
    print(json.dumps(_finite(document), indent=2, ensure_ascii=False, allow_nan=False))


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print aligned columns: the first to the left, the others, which are numbers, to the right."""
    lines = [tuple(columns), *map(tuple, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    for line in lines:
        first, *others = line
        cells = [first.ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        print("  ".join(cells).rstrip())


def print_facts(facts: Iterable[tuple[str, str]]) -> None:
    """Print `name  value` lines, the values in one column."""
    pairs = list(facts)
    width = max(len(name) for name, _ in pairs)
    for name, value in pairs:
        print(f"{name:<{width}}  {value}")


def percent(fraction: float) -> str:
    """Write a fraction with one decimal, never rounding a remainder away to 0 or 100 %."""
    shown = f"{100 * fraction:.1f} %"
    if shown == "100.0 %" and fraction < 1:
        return "> 99.9 %"
    if shown == "0.0 %" and fraction > 0:
        return "< 0.1 %"
    return shown
