"""The LiteRT delegate for files that capexport did not write: its options, and its report read."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from capexport.errors import InputError
from capexport.kernels.build import build

NUMBERS = ("node", "rows", "columns", "nonzeros", "rows_of_x", "bytes")
FIELDS = (
    "node", "operator", "weights", "rows", "columns", "nonzeros", "stored", "outcome",
    "rows_of_x", "bytes",
)  # fmt: skip
"""Columns of the report, adapters/litert/report.c."""


@dataclass(frozen=True)
class LayerReport:
    """What became of one int8 layer of a file.

    Args:
        node: its number in the graph.
        operator: "FULLY_CONNECTED", "CONV_2D", or the name of an operator of ours.
        weights: name of the tensor that holds them.
        rows, columns, nonzeros: of the weights; 0 where they could not be read.
        stored: "dense", "csr", "densify" or "cksb"; "?" where it could not be told.
        outcome: the kernel that runs it, or the reason why it stays with the runtime.
        rows_of_x: that this was decided, or packed, for.
        bytes: of the packed weights; 0 where it stays with the runtime.
    """

    node: int
    operator: str
    weights: str
    rows: int
    columns: int
    nonzeros: int
    stored: str
    outcome: str
    rows_of_x: int
    bytes: int

    @property
    def taken(self) -> bool:
        """Whether the delegate runs it."""
        return self.bytes > 0


def litert_delegate(
    *,
    threads: int = 1,
    report: Path | None = None,
    rows_of_x: int | None = None,
    take: Literal["faster", "all", "packed"] = "faster",
) -> tuple[str, dict[str, str]]:
    """What LiteRT's `load_delegate` takes: the library for this machine, and its options.

    Args:
        threads: that share a product; results are the same bits for every number.
        report: a file to write, one line per int8 layer; `read_report` reads it.
        rows_of_x: decide for so many rows of x; None: for those of the shapes in the file.
        take: "faster": layers with enough zeros to be faster than dense; "all": every layer that
            can be computed; "packed": none but those that were written for this library.

    Raises:
        RuntimeMissingError: the library is not built yet, and there is no C compiler.
    """
    options = {"threads": str(threads), "take": take}
    if report is not None:
        options["report"] = str(report)
    if rows_of_x is not None:
        options["rows_of_x"] = str(rows_of_x)
    return str(build(product="litert")), options


def read_report(path: Path) -> tuple[LayerReport, ...]:
    """The report in the order it was written: layers that are left first, then each packing.

    A layer that was packed again for another number of rows of x has another line.

    Raises:
        InputError: the file is not there, or is no such report.
    """
    try:
        head, *lines = path.read_text(errors="replace").splitlines() or [""]
    except OSError as error:
        raise _no_report(path, str(error.strerror)) from error
    rows = [line.split("\t") for line in lines]
    if head.split("\t") != list(FIELDS) or any(len(row) != len(FIELDS) for row in rows):
        raise _no_report(path, "it has other columns")
    return tuple(_layer(row) for row in rows)


def _layer(row: list[str]) -> LayerReport:
    named = dict(zip(FIELDS, row, strict=True))
    numbers = {name: int(named.pop(name)) for name in NUMBERS}
    return LayerReport(**named, **numbers)  # type: ignore[arg-type]  # split by NUMBERS above


def _no_report(path: Path, reason: str) -> InputError:
    return InputError(
        f"this is no report of the LiteRT delegate: {reason}",
        where=str(path),
        hint="give the delegate the option report and open the file in LiteRT first",
    )
