"""`capexport kernels`: the sparse int8 kernels -> built, listed, or tested."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capexport.cli.options import AsJson, Debug
from capexport.cli.output import print_facts, print_json, print_table
from capexport.cli.progress import stages

if TYPE_CHECKING:
    from capexport.kernels import Check


class Action(StrEnum):
    """What to do with the kernels."""

    build = "build"
    list = "list"
    test = "test"


def kernels(
    action: Annotated[Action, typer.Argument(help="What to do.")],
    target: Annotated[
        str,
        typer.Option("--target", help="host, aarch64-linux-gnu or aarch64-linux-android; build."),
    ] = "host",
    force: Annotated[bool, typer.Option("--force", help="Compile again; build.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Build, list or test the kernels that execute packed weights.

    They are compiled when first needed; `build` does it ahead, and for phones. It makes one library
    for LiteRT, one for ONNX Runtime, one for Java, and one for programs of your own. `test`
    compares every kernel that this CPU can run with a plain product; the exit status is 1 when one
    is wrong.

    Example:

      capexport kernels build --target aarch64-linux-android

      capexport kernels test
    """
    if action is Action.build:
        _build(target, force, as_json)
    elif action is Action.list:
        _list(as_json)
    else:
        _test(as_json)


def _build(target: str, force: bool, as_json: bool) -> None:
    from capexport.kernels import build
    from capexport.kernels.products import PRODUCTS

    built: dict[str, Path] = {}
    with stages() as stage:
        for product in PRODUCTS:
            stage(f"building {product} for {target}")
            built[product] = build(target, product=product, force=force)
    if as_json:
        print_json(
            {"target": target, "libraries": {name: str(path) for name, path in built.items()}}
        )
    else:
        print_facts(
            (name, f"{path}, {path.stat().st_size:,} bytes") for name, path in built.items()
        )


def _list(as_json: bool) -> None:
    from capexport.kernels import load

    found = load().kernels
    if as_json:
        print_json([asdict(kernel) for kernel in found])
        return
    rows = [(k.name, k.layout, str(k.window or "-"), "yes" if k.supported else "no") for k in found]
    print_table(("kernel", "layout", "window", "this CPU"), rows)


def _test(as_json: bool) -> None:
    from capexport.kernels import self_test

    with stages() as stage:
        stage("comparing kernels with plain products")
        checks = self_test()
    if as_json:
        print_json([{**asdict(check), "ok": check.ok} for check in checks])
    else:
        print_table(("kernel", "products", "result"), [_result(check) for check in checks])
    if not all(check.ok for check in checks):
        raise typer.Exit(1)


def _result(check: "Check") -> tuple[str, str, str]:
    if not check.supported:
        return check.kernel, "-", "not on this CPU"
    return check.kernel, str(check.products), "exact" if check.ok else f"wrong: {check.wrong[0]}"
