"""`capexport android`: a bundle -> an app that captions with it, as far as it can be built here."""

import shutil
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from capexport.cli.options import AsJson, Debug
from capexport.cli.output import print_facts, print_json
from capexport.cli.progress import stages

if TYPE_CHECKING:
    from capexport.bundle import Bundle


class Build(StrEnum):
    """How the app is built."""

    auto = "auto"
    gradle = "gradle"
    minimal = "minimal"
    none = "none"


def android(
    bundle: Annotated[Path, typer.Argument(help="Bundle that `capexport export` wrote.")],
    out: Annotated[Path, typer.Option("--out", help="APK to write.")] = Path("capexport-demo.apk"),
    build: Annotated[
        Build, typer.Option("--build", help="auto: Gradle where Android's SDK is.")
    ] = Build.auto,
    aar: Annotated[
        list[Path] | None,
        typer.Option("--aar", help="A runtime's .aar for the minimal APK; may be repeated."),
    ] = None,
    test: Annotated[
        bool, typer.Option("--test", help="Run it on a phone: are captions those of Python?")
    ] = False,
    device: Annotated[str, typer.Option("--device", help="adb or adb:SERIAL, for --test.")] = "adb",
    photo: Annotated[
        Path | None, typer.Option("--input", help="What --test captions; default: made up.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing APK.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Put a bundle into the Android demo and build what can be built here.

    Where ANDROID_HOME names an SDK, Gradle builds the demo with camera and all. Elsewhere the
    minimal APK is built from the same library and a screen of Android's own classes, with Debian's
    tools, which are downloaded without root: signed, aligned and verified. It holds no runtime
    unless --aar gives one. `none` only copies the bundle into the demo, for Android Studio.

    With --test the minimal APK also holds captions that Python made of an input, is installed on
    the phone behind adb, makes them again there and measures itself; the report of that, as
    `capexport bench` writes it, lies beside the APK. With `--build none` the captions go where
    Gradle's connected tests look for them.

    Example:

      capexport android bundle/ --out demo.apk

      capexport android bundle/ --test --aar onnxruntime-android-1.27.0.aar
    """
    from capexport.android.demo import demo_folder, place_bundle
    from capexport.android.gradle import (
        ASSETS,
        GRADLE_GOLDENS,
        build_with_gradle,
        sdk_folder,
    )
    from capexport.bundle import open_bundle
    from capexport.errors import InputError
    from capexport.outputs import check_output

    demo, opened = demo_folder(), open_bundle(bundle)
    check_output(out, force=force)
    if not test and (photo is not None or device != "adb"):
        raise InputError(
            "--device and --input belong to the test on a phone",
            where="capexport android",
            hint="add --test, or leave them out",
        )
    if test and build is Build.gradle:
        raise InputError(
            "Gradle has tests of its own",
            where="--test",
            hint="--build none --test, then ./gradlew :app:connectedDebugAndroidTest",
        )
    if test and build is not Build.none:
        _print(_tested(opened, demo, out, aar or [], device, photo, force), as_json)
    elif build is Build.none:
        placed = place_bundle(opened, demo / ASSETS)
        if test:
            _write_goldens(opened, photo, demo / GRADLE_GOLDENS)
        _print({"build": "none", "bundle": str(placed)}, as_json)
    elif build is Build.gradle or (build is Build.auto and sdk_folder()):
        with stages() as stage:
            stage("building with Gradle")
            apk = build_with_gradle(opened, demo, out)
        _print({"build": "gradle", "apk": str(apk), "bytes": apk.stat().st_size}, as_json)
    else:
        _print(_minimal(opened, demo, out, aar or []), as_json)


def _tested(
    bundle: "Bundle",
    demo: Path,
    out: Path,
    archives: list[Path],
    device: str,
    photo: Path | None,
    force: bool,
) -> dict[str, Any]:
    from capexport.android.instrument import run_on
    from capexport.bench.devices.adb import Adb
    from capexport.outputs import check_output, write_whole

    report = out.with_suffix(".json")
    check_output(report, force=force)
    phone = Adb(_serial(device))  # before anything is built: there may be none
    with TemporaryDirectory() as folder:
        _write_goldens(bundle, photo, Path(folder))
        document = _minimal(bundle, demo, out, archives, Path(folder))
    with stages() as stage:
        stage(f"captioning on {phone.name}")
        tested = run_on(phone, out)
    document |= {"device": phone.name, "captions": tested.captions}
    if tested.report is not None:
        write_whole(tested.report.decode(), report)
        document["report"] = str(report)
    return document


def _serial(device: str) -> str:
    """The SERIAL of adb:SERIAL, "" of adb alone."""
    from capexport.errors import InputError

    kind, _, serial = device.partition(":")
    if kind != "adb":
        raise InputError(f"{device!r} runs no app", where="--device", hint="use adb or adb:SERIAL")
    return serial


def _write_goldens(bundle: "Bundle", photo: Path | None, folder: Path) -> None:
    from PIL import Image

    from capexport.android.goldens import write_goldens
    from capexport.bench.made_up import made_up
    from capexport.runtime import Features, read_features

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with TemporaryDirectory() as scratch:
        made = made_up(bundle)[1]
        if photo is not None and isinstance(made, Features):
            inputs: dict[str, Features | Path] = dict(read_features(photo))
        elif photo is not None:
            inputs = {photo.stem: photo}
        elif isinstance(made, Features):
            inputs = {"made_up": made}
        else:
            picture = Path(scratch, "made_up.png")
            Image.fromarray(made.pixels[0]).save(picture)
            inputs = {"made_up": picture}
        write_goldens([bundle], inputs, folder)


def _minimal(
    bundle: "Bundle", demo: Path, out: Path, archives: list[Path], goldens: Path | None = None
) -> dict[str, Any]:
    from capexport.android.minimal_apk import build_minimal_apk
    from capexport.android.tools import find_tools

    with stages() as stage:
        stage("fetching Debian's Android tools")
        tools = find_tools()
        stage("building the minimal APK")
        apk = build_minimal_apk(bundle, demo, tools, out.resolve(), archives, goldens)
    size = apk.path.stat().st_size
    return {
        "build": "minimal",
        "apk": str(out),
        "bytes": size,
        "sizes": apk.sizes,
        "checks": list(apk.checks),
    }


def _print(document: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(document)
        return
    named = ("build", "bundle", "apk")
    facts: list[tuple[str, str]] = [(n, str(document[n])) for n in named if n in document]
    if "bytes" in document:
        facts.append(("size", f"{document['bytes']:,} bytes"))
    facts += [(f"  {part}", f"{size:,}") for part, size in document.get("sizes", {}).items()]
    facts += [("verified", check) for check in document.get("checks", [])]
    facts += [(n, str(document[n])) for n in ("device", "captions", "report") if n in document]
    print_facts(facts)
