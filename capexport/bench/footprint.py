"""A bundle and the libraries that run it -> bytes: as files, packed for a download, mapped."""

import zlib
from collections.abc import Mapping
from pathlib import Path

from capexport.bundle import DECODER_STEP, ENCODER, Bundle, graph_file
from capexport.bundle.layout import MANIFEST, VOCABULARY

GZIP_LEVEL = 9


def footprint(
    bundle: Bundle, runtime: str, *, library: Path, operators: Path | None
) -> Mapping[str, int]:
    """Bytes of what one runtime needs.

    `encoder` and `decoder_step` are the graph files; `model` those with manifest and vocabulary;
    `operators` our library, where the bundle needs it; `runtime` the runtime's. `model_gzip` and
    `operators_gzip` are what a download of them takes (deflate, as in an .apk or by a web server).
    """
    graphs = {graph: bundle.path / graph_file(runtime, graph) for graph in (ENCODER, DECODER_STEP)}
    files = [*graphs.values(), bundle.path / MANIFEST, bundle.path / VOCABULARY]
    sizes = {graph: _size(file) for graph, file in graphs.items()}
    sizes["model"] = sum(_size(file) for file in files)
    sizes["model_gzip"] = sum(_deflated(file) for file in files)
    if operators is not None:
        sizes["operators"], sizes["operators_gzip"] = _size(operators), _deflated(operators)
    sizes["runtime"] = _size(library)
    return sizes


def _size(file: Path) -> int:
    return file.stat().st_size


def _deflated(file: Path) -> int:
    return len(zlib.compress(file.read_bytes(), GZIP_LEVEL))
