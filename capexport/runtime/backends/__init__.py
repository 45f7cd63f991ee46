"""The table of runtimes: each is one module that is imported when a session first needs it."""

import importlib
from typing import cast

from capexport.errors import InputError
from capexport.runtime.graph_runner import Backend

BACKENDS = {
    "litert": "capexport.runtime.backends.litert",
    "onnxruntime": "capexport.runtime.backends.onnxruntime",
}
RUNTIMES = tuple(BACKENDS)


def backend(runtime: str) -> Backend:
    """The module of `runtime`; InputError when there is none of that name."""
    if runtime not in BACKENDS:
        raise InputError(
            f"there is no runtime {runtime!r}",
            where="runtime",
            hint=f"choose one of {', '.join(RUNTIMES)}",
        )
    return cast(Backend, importlib.import_module(BACKENDS[runtime]))
