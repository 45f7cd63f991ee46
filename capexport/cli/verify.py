"""`capexport verify`: a checkpoint and its bundle -> do they caption alike?"""

from pathlib import Path
from typing import Annotated, Any

import typer

from capexport.cli.failure import print_failure
from capexport.cli.options import AsJson, Debug
from capexport.cli.output import print_json, print_table
from capexport.cli.progress import stages
from capexport.errors import BundleError

SHOWN_DIFFERENCES = 3
"""Per runtime, for people; the JSON document holds them all."""


def verify(
    checkpoint: Annotated[Path, typer.Argument(help="Checkpoint that the bundle was made of.")],
    bundle: Annotated[Path, typer.Argument(help="Bundle that `capexport export` wrote.")],
    inputs: Annotated[
        Path | None,
        typer.Option("--inputs", help="Features file, .npz, or pictures; default: made-up ones."),
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option("--encoder", help="Image encoder of the export: PATH, or NAME:PATH."),
    ] = None,
    min_identical: Annotated[
        float | None,
        typer.Option(
            "--min-identical",
            min=0,
            max=1,
            help="Least fraction of captions to be identical; default: 1 for fp32, less for int8.",
        ),
    ] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Compare a bundle with the PyTorch captioner in every runtime.

    Log-probabilities are compared at every step of the reference's caption, and whole captions word
    for word. The exit status is 1 when the bundle falls short.

    Example:

      capexport verify checkpoint/ bundle/ --inputs features.npz

      capexport verify checkpoint/ bundle/ --inputs features.npz --min-identical 0.95 --json
    """
    from capexport.evaluate.parity import verify as compare

    with stages() as stage:
        result = compare(
            checkpoint,
            bundle,
            inputs,
            encoder=encoder,
            min_identical=min_identical,
            progress=stage,
        )
    if as_json:
        print_json(result)
    else:
        _print_result(result)
    if not result["ok"]:
        _print_shortfall(bundle)
        raise typer.Exit(1)


def _print_result(result: dict[str, Any]) -> None:
    print_table(
        ("runtime", "max error", "mean error", "steps", "identical captions"),
        (
            (
                name,
                f"{r['max_abs_log_prob_error']:.2e}",
                f"{r['mean_abs_log_prob_error']:.2e}",
                f"{r['steps']:,}",
                f"{r['captions_identical']:,} of {r['captions_total']:,}",
            )
            for name, r in result["runtimes"].items()
        ),
    )
    for name, why in result["skipped"].items():
        print(f"{name}: skipped, {why}")
    print(f"\ninputs: {result['inputs']}; errors are of log-probabilities, in nats")
    for name, r in result["runtimes"].items():
        for d in r["differences"][:SHOWN_DIFFERENCES]:
            print(
                f"{name}, {d['input']}, beam {d['beam']}: {d['caption']!r}, not {d['expected']!r}"
            )


def _print_shortfall(bundle: Path) -> None:
    print_failure(
        BundleError(
            "the bundle does not caption like its checkpoint",
            where=str(bundle),
            hint="export again with --recipe fp32 to see whether quantization is the cause",
        )
    )
