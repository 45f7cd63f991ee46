"""`capexport caption`: a bundle and features files or pictures -> captions."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from capexport.cli.failure import print_failure
from capexport.cli.options import AsJson, Debug
from capexport.cli.output import print_json
from capexport.cli.progress import stages
from capexport.errors import CapexportError, RuntimeMissingError

if TYPE_CHECKING:
    from capexport.bundle import Bundle
    from capexport.runtime import Given, Session
    from capexport.spec.image import ImageSpec

Runtime = Literal["litert", "onnxruntime"]


def caption(
    bundle: Annotated[Path, typer.Argument(help="Bundle that `capexport export` wrote.")],
    inputs: Annotated[
        list[Path],
        typer.Argument(metavar="INPUT...", help="Features files, .npz; or pictures and folders."),
    ],
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

    A bundle that was exported with an image encoder takes pictures, and folders of pictures. Others
    take features files, with NAME.att [regions, dim] for every input, and perhaps NAME.fc [dim] and
    NAME.box [regions, 4]. An input that cannot be captioned is reported on stderr and the others go
    on; the exit status is 1 then.

    Example:

      capexport caption bundle/ features.npz

      capexport caption bundle/ photo.jpg folder/ --runtime onnxruntime --beam 1 --json
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
        session = open_installed(opened, runtime, threads)
        for result in _captions(session, opened.manifest.image, inputs, width):
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


def open_installed(bundle: "Bundle", runtime: Runtime | None, threads: int) -> "Session":
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
    session: "Session", image: "ImageSpec | None", paths: list[Path], beam: int
) -> Iterator[dict[str, Any] | CapexportError]:
    """Yield a JSON record for every input, or the error that it met."""
    from capexport.runtime import caption as search

    for file, name, given in _inputs(paths, image):
        if isinstance(given, CapexportError):
            yield given
            continue
        try:
            found = search(session, given, beam)
        except CapexportError as error:
            where = f"{file}: {name}: {error.where}"
            yield type(error)(error.what, where=where, hint=error.hint)
            continue
        yield {
            "input": name,
            "caption": found.text,
            "tokens": found.tokens,
            "log_prob": found.log_prob,
            "file": str(file),
        }


def _inputs(
    paths: list[Path], image: "ImageSpec | None"
) -> Iterator[tuple[Path, str, "Given | CapexportError"]]:
    """Yield file, name and contents of every input, read one file at a time."""
    from capexport.runtime import input_files, read_inputs

    for path in paths:
        try:
            files = input_files(path, image)
        except CapexportError as error:
            yield path, "", error
            continue
        for file in files:
            try:
                named = read_inputs(file, image)
            except CapexportError as error:
                yield file, "", error
                continue
            for name, given in named.items():
                yield file, name, given
