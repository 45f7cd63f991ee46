"""`capexport bench`: a bundle and a device -> a card, and a report with every sample."""

from pathlib import Path
from typing import Annotated

import typer

from capexport.cli.caption import Runtime
from capexport.cli.options import AsJson, Debug
from capexport.cli.output import print_json
from capexport.cli.progress import stages


def bench(
    bundle: Annotated[Path, typer.Argument(help="Bundle that `capexport export` wrote.")],
    device: Annotated[
        str, typer.Option("--device", help="host, qemu[-system]:CORE, adb[:SERIAL] or ssh:HOST.")
    ] = "host",
    out: Annotated[
        Path | None, typer.Option("--out", help="Report to write, JSON with every sample.")
    ] = None,
    runtime: Annotated[
        Runtime | None, typer.Option("--runtime", help="Default: the bundle's first.")
    ] = None,
    beam: Annotated[
        int | None, typer.Option("--beam", min=1, help="Beam width; default: the bundle's.")
    ] = None,
    threads: Annotated[int, typer.Option("--threads", min=1, help="Threads to compute with.")] = 1,
    runs: Annotated[
        int, typer.Option("--runs", min=1, help="Samples of each quantity, all rounds together.")
    ] = 90,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="Processes, one by one.")] = 3,
    photo: Annotated[
        Path | None,
        typer.Option(
            "--input", help="Picture or features file; default: made up, always the same."
        ),
    ] = None,
    quality: Annotated[
        Path | None,
        typer.Option("--quality", help="What `capexport evaluate --json` said of the bundle."),
    ] = None,
    cores: Annotated[
        str, typer.Option("--cores", help="big, mid, little, or a mask as 0xf0.")
    ] = "",
    aar: Annotated[
        list[Path] | None,
        typer.Option("--aar", help="A phone's runtime as an app has it; needs ANDROID_NDK."),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="1024 samples and 60 s of each, as MLPerf Mobile asks."),
    ] = False,
    per_layer: Annotated[
        bool,
        typer.Option("--per-layer", help="Time each operator as well, in a round of its own."),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing report.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Measure a bundle: encoder, decoder step and whole captions, memory and footprint.

    An emulated core gives counts of instructions, bytes and cache misses, and an estimate from
    them, but no times; --runs and --rounds mean nothing there. An emulated machine (qemu-system)
    boots for each round and gives the memory alone. `capexport devices` shows what there is.

    The captions are made by a C program without Python, and compared with those of `capexport
    caption`: the exit status is 1 where they differ. A measurement that cannot be trusted is marked
    so, with its reasons; with --strict that is exit status 1 as well. Where a device fails between
    two rounds, the report of those before is written all the same.

    With --per-layer the runtime's own profiler times the operators of both graphs, after the
    samples and apart from them; `capexport report` draws them beside their sparsity.

    Example:

      capexport bench bundle/ --device host --out report.json

      capexport bench bundle/ --device qemu:cortex-a76

      capexport bench bundle/ --device qemu-system:cortex-a76

      capexport bench bundle/ --per-layer --out report.json

      capexport bench bundle/ --runtime litert --beam 1 --input photo.jpg --strict

      capexport evaluate bundle/ --data ucm/ --json > quality.json

      capexport bench bundle/ --quality quality.json --out report.json
    """
    from capexport.bench import Settings, UnfinishedError, card, write_report
    from capexport.bench import bench as measure
    from capexport.bench.quality import read_quality
    from capexport.bundle import open_bundle
    from capexport.outputs import check_output

    opened = open_bundle(bundle)
    if out is not None:
        check_output(out, force=force)
    known = read_quality(quality, opened) if quality is not None else None
    settings = Settings(
        runtime=(runtime or opened.manifest.runtimes[0]),
        beam=beam or opened.manifest.decoding.beam,
        threads=threads,
        rounds=rounds,
        samples=max(runs, rounds),
        strict=strict,
        per_layer=per_layer,
    )
    try:
        with stages() as stage:
            report = measure(
                opened,
                device,
                settings,
                photo=photo,
                quality=known,
                cores=cores,
                archives=aar or (),
                stage=stage,
            )
    except UnfinishedError as error:
        if out is not None:
            write_report(error.report, out, force=force)
        raise
    if out is not None:
        write_report(report, out, force=force)
    if as_json:
        print_json(report.document())
    else:
        print(card(report), end="")
    if not report.output["as_expected"] or (strict and not report.valid):
        raise typer.Exit(1)
