"""`capexport demo`: the whole line on the model that ships with the project."""

import io
import json
import shlex
import shutil
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated, Any

import typer

import capexport
from capexport.cli.options import AsJson, Debug
from capexport.cli.output import percent, print_facts, print_json
from capexport.errors import InputError

MODEL = Path(capexport.__file__).parent.parent / "models" / "scenes"
"""In a clone of the repository; a wheel does not hold it."""
CALIBRATION, SHOWN = 32, 6
"""Pictures to calibrate and verify on; pictures whose captions are shown."""
RECIPE = "encoder=static_wi8_ai8,decoder=dynamic_wi8"

Run = Callable[[list[str]], int]
"""`capexport.cli.main`: arguments -> exit status."""


def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder to write everything to.")] = Path(
        "capexport_demo"
    ),
    model: Annotated[
        Path, typer.Option("--model", help="Checkpoint; default: models/scenes of a clone.")
    ] = MODEL,
    images: Annotated[int, typer.Option("--images", min=1, help="Pictures to evaluate on.")] = 100,
    seed: Annotated[
        int, typer.Option("--seed", help="Of the pictures; 0 are those it was trained on.")
    ] = 1,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Draw pictures, export the model, verify the bundle and caption in both runtimes.

    Every step is a command that is shown before its output. At the end the captions are held
    against what was drawn: the share of those that are true.

    Example:

      capexport demo --out demo/
    """
    from capexport.cli import main

    if not (model / "config.json").is_file():
        raise InputError(
            "the model is not here",
            where=str(model),
            hint="run the demo in a clone of the repository, or give a checkpoint by --model",
        )
    if out.exists():
        raise InputError(
            "the output exists already", where=str(out), hint="choose another path or remove it"
        )
    out.mkdir(parents=True)
    try:
        _show_all(main, out, model, images, seed, as_json=as_json)
    except BaseException:
        shutil.rmtree(out)
        raise


def _show_all(main: Run, out: Path, model: Path, images: int, seed: int, *, as_json: bool) -> None:
    """Run every command, and hold the captions against what was drawn."""
    *steps, evaluation = _commands(out, model, images, seed)
    done = [_run(main, arguments, as_json=as_json) for arguments in steps]
    if not as_json:
        _show(evaluation)
    done.append(_run(main, evaluation, as_json=True))
    scores = done[-1]["result"]
    truth = _truth(out / "scenes", scores["captions"])
    if as_json:
        print_json({"out": str(out), "commands": done, "truth": truth})
    else:
        _print_scores(scores, truth, out)


def _commands(out: Path, model: Path, images: int, seed: int) -> list[list[str]]:
    scenes, bundle, pictures = str(out / "scenes"), str(out / "bundle"), out / "scenes" / "images"
    shown = [str(pictures / "test" / f"{n:05}.png") for n in range(min(SHOWN, images))]
    calibration = str(pictures / "val")
    drawn = ["--images", "0", "--val", str(CALIBRATION), "--test", str(images), "--seed", str(seed)]
    made = ["--recipe", RECIPE, "--weights", "packed", "--calibration", calibration]
    return [
        ["scenes", "--out", scenes, *drawn],
        ["inspect", str(model)],
        ["export", str(model), "--out", bundle, *made],
        ["verify", str(model), bundle, "--inputs", calibration],
        ["caption", bundle, *shown, "--runtime", "litert"],
        ["caption", bundle, *shown, "--runtime", "onnxruntime"],
        ["evaluate", bundle, "--data", scenes],
    ]


def _run(main: Run, arguments: list[str], *, as_json: bool) -> dict[str, Any]:
    """Run a command; show it and what it prints, or give both back."""
    if not as_json:
        _show(arguments)
        _check(main(arguments))
        print()
        return {}
    printed = io.StringIO()
    with redirect_stdout(printed):
        _check(main([*arguments, "--json"]))
    return {"command": _line(arguments), "result": json.loads(printed.getvalue())}


def _show(arguments: list[str]) -> None:
    print(f"$ {_line(arguments)}", flush=True)


def _line(arguments: list[str]) -> str:
    return f"capexport {shlex.join(arguments)}"


def _check(status: int) -> None:
    """End the demo where a command ended badly: it has said why."""
    if status:
        raise typer.Exit(status)


def _truth(scenes: Path, captions: list[dict[str, Any]]) -> dict[str, float]:
    """Shares of captions that are true, and of those that also name everything."""
    from capexport.scenes import judge, read_scenes

    drawn = read_scenes(scenes)
    verdicts = [judge(one["caption"], drawn[one["image"]]) for one in captions]
    return {
        "true": sum(verdict.is_true for verdict in verdicts) / len(verdicts),
        "complete": sum(verdict.is_complete for verdict in verdicts) / len(verdicts),
    }


def _print_scores(scores: dict[str, Any], truth: dict[str, float], out: Path) -> None:
    print_facts(
        [
            ("pictures", str(scores["images"])),
            *((name, f"{value:.4f}") for name, value in scores["metrics"].items()),
            *((name, f"skipped: {reason}") for name, reason in scores["skipped"].items()),
            ("true", f"{percent(truth['true'])} of the captions, by what was drawn"),
            ("complete", f"{percent(truth['complete'])} are true and name everything"),
        ]
    )
    print()
    print_facts(
        [
            ("pictures", f"{out}/scenes/images"),
            ("bundle", f"{out}/bundle (start with card.md)"),
        ]
    )
