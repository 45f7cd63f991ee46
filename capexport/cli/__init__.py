"""The command line: `capexport VERB ...`, one file per verb.

Exit status: 0 done, 1 the job failed or a check fell short, 2 wrong usage. Whatever a user can
cause ends in three lines on stderr: what, where, hint. Only typer is imported here; a verb imports
what it needs when it runs, so that `--help` answers at once.
"""

import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from capexport import __version__
from capexport.cli.android import android
from capexport.cli.bench import bench
from capexport.cli.caption import caption
from capexport.cli.compare import compare
from capexport.cli.demo import demo
from capexport.cli.detector import detector
from capexport.cli.devices import devices
from capexport.cli.evaluate import evaluate
from capexport.cli.export import export
from capexport.cli.failure import print_failure, reported
from capexport.cli.features import features
from capexport.cli.inspect import inspect
from capexport.cli.kernels import kernels
from capexport.cli.prune import prune
from capexport.cli.regions import regions
from capexport.cli.report import report
from capexport.cli.scenes import scenes
from capexport.cli.sweep import sweep
from capexport.cli.train import train
from capexport.cli.verify import verify
from capexport.errors import InputError

VERBS: dict[str, Callable[..., None]] = {
    "inspect": inspect,
    "export": export,
    "caption": caption,
    "verify": verify,
    "evaluate": evaluate,
    "features": features,
    "detector": detector,
    "regions": regions,
    "prune": prune,
    "scenes": scenes,
    "train": train,
    "bench": bench,
    "compare": compare,
    "report": report,
    "sweep": sweep,
    "devices": devices,
    "demo": demo,
    "kernels": kernels,
    "android": android,
}

app = typer.Typer(
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    # Plain help: the same text in a terminal, a pipe and a log.
    rich_markup_mode=None,
)
for name, verb in VERBS.items():
    app.command(name)(reported(verb))


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"capexport {__version__}")
        raise typer.Exit


@app.callback()
def capexport(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show it and exit."),
    ] = False,
) -> None:
    """Pruned PyTorch image captioners as sparse int8 ONNX and TFLite bundles.

    Example:

      capexport export checkpoint/ --out bundle/

      capexport caption bundle/ features.npz
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (default: `sys.argv`) and return its exit status."""
    try:
        status = app(args=arguments, prog_name="capexport", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (say, `head`) has gone: what is still buffered goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except typer.TyperException as misuse:
        print_failure(_as_error(misuse))
        return misuse.exit_code
    return status or 0


def _as_error(misuse: typer.TyperException) -> InputError:
    """Turn wrong usage into the three lines of every other error."""
    context: typer.Context | None = getattr(misuse, "ctx", None)
    command = context.command_path if context else "capexport"
    what = " ".join(misuse.format_message().split()).removesuffix(".")
    return InputError(what, where=command, hint=f"{command} --help")
