"""What every interpreter library is reduced to: one open graph with named inputs and outputs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from capexport.errors import BundleError, RuntimeMissingError

Array = NDArray[Any]


class GraphRunner(Protocol):
    """An open graph. The caller checks names, shapes and dtypes before it runs."""

    @property
    def input_names(self) -> frozenset[str]: ...

    @property
    def output_names(self) -> frozenset[str]: ...

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Outputs by name; the arrays are the caller's own."""
        ...


@dataclass(frozen=True)
class Installed:
    """The package that stands for a runtime here.

    Args:
        package: its name on the package index.
        version: its own version.
        level: the version of the runtime that it can do as much as; a bundle's minimum is held
            against this. For the runtime's own package it is `version`.
    """

    package: str
    version: str
    level: str

    def __str__(self) -> str:
        return f"{self.package} {self.version}"


class Backend(Protocol):
    """What a module in `backends/` offers. Both functions raise RuntimeMissingError.

    A graph with `packed` weights needs the project's kernels; without them it is never opened.
    """

    def installed(self) -> Installed: ...

    def open_graph(self, path: Path, threads: int, *, packed: bool) -> GraphRunner: ...


def runtime_missing(runtime: str) -> RuntimeMissingError:
    """The error for a library that is not there; extras have the names of runtimes."""
    return RuntimeMissingError(
        f"the runtime {runtime} is not installed",
        where=runtime,
        hint=f"pip install 'capexport[{runtime}]'",
    )


def unreadable_graph(
    path: Path, runtime: str, reason: object, installed: Installed | None = None
) -> BundleError:
    """The error for a file that the installed library refuses, for the reason it gave."""
    return BundleError(
        f"{runtime} cannot open the graph: {reason}",
        where=str(path),
        hint=f"update {installed or runtime}, or export the bundle again",
    )


def release(version: str) -> tuple[int, ...]:
    """The leading numbers of a version: 2.1.0rc1 -> (2, 1, 0)."""
    match = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in match[0].split(".")) if match else ()
