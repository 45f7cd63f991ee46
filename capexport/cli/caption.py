"""`capexport caption`: a bundle and features files -> captions."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from capexport.cli.failure import print_failure
from capexport.cli.options import AsJson, Debug
from capexport.cli.output import print_json
from capexport.cli.progress import stages
from capexport.errors import CapexportError, RuntimeMissingError, UnsupportedError

if TYPE_CHECKING:
    from capexport.bundle import Bundle
    from capexport.runtime import Features, Session

Runtime = Literal["litert", "onnxruntime"]
IMAGE_SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}


def caption(
    bundle: Annotated[Path, typer.Argument(help="Bundle that `capexport export` wrote.")],
    inputs: Annotated[list[Path], typer.Argument(metavar="INPUT...", help="Features files, .npz.")],
    runtime: Annotated[
        Runtime | None,
        typer.Option("--runtime", help="Default: the bundle's first that is installed."),
    ] = None,
    beam: Annotated[
        int | None, typer.Option("--beam", min=1, help="Beam width; default: the bundle's.")
    ] = None,
    threads: Annotated[int, typer.Option("--threads", min=1, help="Threads to compute with.")] = 1,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Caption inputs with a bundle; neither torch nor the checkpoint is needed.

    A features file holds NAME.att [regions, dim] for every input, and perhaps NAME.fc [dim] and
    NAME.box [regions, 4]. An input that cannot be captioned is reported on stderr and the others go
    on; the exit status is 1 then.

    Example:

      capexport caption bundle/ features.npz

      capexport caption bundle/ features.npz --runtime onnxruntime --beam 1 --json
    """
    from capexport.bundle import open_bundle
    from capexport.runtime import check_beam

    opened = open_bundle(bundle)
    width = beam or opened.manifest.decoding.beam
    check_beam(width, opened.manifest.signature)
    documents: list[dict[str, Any]] = []
    failed = False
    # Captions that run down a terminal show the progress themselves.
    with stages(shown=as_json or not sys.stdout.isatty()) as stage:
        stage("opening the bundle")
        session = _open_session(opened, runtime, threads)
        for result in _captions(session, inputs, width):
            if isinstance(result, CapexportError):
                print_failure(result, debug=debug)
                failed = True
                continue
            documents.append(result)
            stage(f"{len(documents)} captioned, last {result['input']}")
            if not as_json:
                print(f"{result['input']}: {result['caption']}", flush=True)
    if as_json:
        print_json(documents)
    if failed:
        raise typer.Exit(1)


def _open_session(bundle: "Bundle", runtime: Runtime | None, threads: int) -> "Session":
    """Open the wanted runtime, or the bundle's first that is installed."""
    from capexport.runtime import open_session

    if runtime is not None:
        return open_session(bundle, runtime, threads)
    missing: list[RuntimeMissingError] = []
    for name in bundle.manifest.runtimes:
        try:
            return open_session(bundle, name, threads)
        except RuntimeMissingError as error:
            missing.append(error)
    raise RuntimeMissingError(
        "no runtime of this bundle can be used: " + "; ".join(error.what for error in missing),
        where=str(bundle.path),
        hint=" or ".join(error.hint for error in missing),
    )


def _captions(
    session: "Session", paths: list[Path], beam: int
) -> Iterator[dict[str, Any] | CapexportError]:
    """Yield a JSON record for every input, or the error that it met."""
    from capexport.runtime import caption as search

    for path in paths:
        try:
            features = _read(path)
        except CapexportError as error:
            yield error
            continue
        for name, regions in features.items():
            try:
                found = search(session, regions, beam)
            except CapexportError as error:
                where = f"{path}: {name}: {error.where}"
                yield type(error)(error.what, where=where, hint=error.hint)
                continue
            yield {
                "input": name,
                "caption": found.text,
                "tokens": found.tokens,
                "log_prob": found.log_prob,
                "file": str(path),
            }


def _read(path: Path) -> Mapping[str, "Features"]:
    from capexport.runtime import read_features

    if path.is_dir() or path.suffix.lower() in IMAGE_SUFFIXES:
        raise UnsupportedError(
            "this bundle's encoder takes region features, not images",
            where=str(path),
            hint="give a .npz file with NAME.att [regions, dim] for every image",
        )
    return read_features(path)
