"""Expected errors -> three lines on stderr and exit status 1."""

import functools
import sys
import traceback
from collections.abc import Callable

import typer

from capexport.errors import CapexportError, InputError, RuntimeMissingError

EXTRAS = {
    "ai_edge_litert": "litert",
    "dask": "cluster",
    "distributed": "cluster",
    "flatbuffers": "export",
    "onnx": "export",
    "onnxruntime": "onnxruntime",
    "safetensors": "export",
    "torch": "export",
}
"""Import name of an optional package -> the extra of capexport that installs it."""


def print_failure(error: CapexportError, *, debug: bool = False) -> None:
    """Write `error: ...`, `  where: ...`, `  hint: ...` on stderr, after a traceback if `debug`."""
    if debug:
        traceback.print_exception(error)
    for label, text in (("error", error.what), ("  where", error.where), ("  hint", error.hint)):
        print(f"{label}: {' '.join(text.split())}", file=sys.stderr)


def reported(verb: Callable[..., None]) -> Callable[..., None]:
    """Wrap a verb so that an expected error ends in three lines; `debug=True` adds the traceback.

    Anything else is a fault of capexport itself and keeps its traceback.
    """

    @functools.wraps(verb)
    def run(*args: object, debug: bool, **kwargs: object) -> None:
        try:
            verb(*args, debug=debug, **kwargs)
        except BrokenPipeError:  # an OSError, but nothing to tell: `main` ends quietly
            raise
        except (CapexportError, ModuleNotFoundError, OSError) as raised:
            error = _as_error(raised)
            if error is None:
                raise
            if error is not raised:
                error.__cause__ = raised
            print_failure(error, debug=debug)
            raise typer.Exit(1) from None

    return run


def _as_error(raised: CapexportError | ModuleNotFoundError | OSError) -> CapexportError | None:
    """Return the error to print, or None when the cause is not the user's."""
    if isinstance(raised, CapexportError):
        return raised
    if isinstance(raised, ModuleNotFoundError):
        return missing_package(raised)
    where = raised.filename or raised.filename2 or "reading or writing a file"
    return InputError(
        raised.strerror or str(raised),
        where=str(where),
        hint="check the path, its permissions and the space left on the disk",
    )


def missing_package(missing: ModuleNotFoundError) -> RuntimeMissingError | None:
    """Name the extra that installs the package, or return None when it is not an optional one."""
    package = (missing.name or "").split(".")[0]
    if package not in EXTRAS:
        return None
    return RuntimeMissingError(
        f"the Python package {package} is not installed",
        where=f"import {missing.name}",
        hint=f"pip install 'capexport[{EXTRAS[package]}]'",
    )
