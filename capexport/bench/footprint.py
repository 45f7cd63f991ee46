"""A bundle and the libraries that run it -> bytes: as files, packed for a download, in an app."""

import zlib
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

from capexport.bundle import DECODER_STEP, ENCODER, Bundle, graph_file
from capexport.bundle.layout import MANIFEST, VOCABULARY
from capexport.errors import RuntimeMissingError
from capexport.kernels.build import build

GZIP_LEVEL = ZSTD_LEVEL = 9
ANDROID = "aarch64-linux-android", "captioner"
"""Target and product of our library in an app."""

Pack = Callable[[bytes], bytes]


def footprint(
    bundle: Bundle, runtime: str, *, library: Path, operators: Path | None
) -> Mapping[str, int]:
    """Bytes of what one runtime needs.

    `encoder` and `decoder_step` are the graph files; `model` those with manifest and vocabulary;
    `operators` our library, where the bundle needs it; `runtime` the runtime's. With `_gzip` and
    `_zstd` it is what a download of them takes; zstd where Python has it (extra `zstd`). `apk` is
    what model and our library for arm64 add to an .apk, without the runtime's: absent where that
    library cannot be built.
    """
    graphs = {graph: bundle.path / graph_file(runtime, graph) for graph in (ENCODER, DECODER_STEP)}
    model = [*graphs.values(), bundle.path / MANIFEST, bundle.path / VOCABULARY]
    sizes = {graph: _size([file]) for graph, file in graphs.items()}
    shipped = {"model": model, **({"operators": [operators]} if operators else {})}
    for name, files in shipped.items():
        sizes[name] = _size(files)
        sizes |= {f"{name}_{how}": _size(files, pack) for how, pack in packers().items()}
    sizes["runtime"] = _size([library])
    if (ours := _android_library()) is not None:
        # aapt2 deflates assets; a library is stored, to be mapped from inside the .apk.
        sizes["apk"] = sizes["model_gzip"] + _size([ours])
    return sizes


def packers() -> dict[str, Pack]:
    """How files are packed for a download, by name."""
    found: dict[str, Pack] = {"gzip": lambda content: zlib.compress(content, GZIP_LEVEL)}
    if find_spec("zstandard"):
        import zstandard

        found["zstd"] = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress
    return found


def _size(files: list[Path], pack: Pack = bytes) -> int:
    return sum(len(pack(file.read_bytes())) for file in files)


def _android_library() -> Path | None:
    try:
        return build(ANDROID[0], product=ANDROID[1])
    except RuntimeMissingError:
        return None
