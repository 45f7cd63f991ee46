"""What every interpreter library is reduced to: one open graph with named inputs and outputs."""

from collections.abc import Mapping
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


class Backend(Protocol):
    """What a module in `backends/` offers. Both functions raise RuntimeMissingError.

    A graph with `packed` weights needs the project's kernels; without them it is never opened.
    """

    def installed_version(self) -> str: ...

    def open_graph(self, path: Path, threads: int, *, packed: bool) -> GraphRunner: ...


def runtime_missing(runtime: str) -> RuntimeMissingError:
    """The error for a library that is not there; extras have the names of runtimes."""
    return RuntimeMissingError(
        f"the runtime {runtime} is not installed",
        where=runtime,
        hint=f"pip install 'capexport[{runtime}]'",
    )


def unreadable_graph(path: Path, runtime: str, reason: object) -> BundleError:
    """The error for a file that the installed library refuses, for the reason it gave."""
    return BundleError(
        f"{runtime} cannot open the graph: {reason}",
        where=str(path),
        hint=f"update {runtime}, or export the bundle again",
    )
