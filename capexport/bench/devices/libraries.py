"""A runtime's name -> its shared library, from a wheel that is installed or unpacked."""

import importlib.util
from pathlib import Path

from capexport.errors import RuntimeMissingError

LIBRARIES = {
    "litert": ("ai_edge_litert", "libLiteRt.so"),
    "onnxruntime": ("onnxruntime", "capi/libonnxruntime.so.*"),
}
"""Import name of the wheel, and the library in it (a pattern: the name has the version)."""


def installed_library(runtime: str) -> Path:
    """The library in the wheel that Python imports here; nothing is imported.

    Raises:
        RuntimeMissingError: the wheel is not installed, or has no library with a C interface.
    """
    package, _ = LIBRARIES[runtime]
    spec = importlib.util.find_spec(package)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    return library_in(Path(folders[0]).parent if folders else None, runtime)


def library_in(site: Path | None, runtime: str) -> Path:
    """The library below a folder that wheels were unpacked to; raises as `installed_library`."""
    package, pattern = LIBRARIES[runtime]
    found = sorted((site / package).glob(pattern)) if site else []
    if not found:
        raise RuntimeMissingError(
            f"there is no {pattern} of {runtime}",
            where=str(site / package) if site else f"Python package {package}",
            hint=f"pip install 'capexport[{runtime}]'; tensorflow's LiteRT has no such library",
        )
    return found[-1]
