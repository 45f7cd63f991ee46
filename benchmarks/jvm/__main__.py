"""Captions through the JVM and by the C runner: what Java and JNI cost beside the same kernels.

python -m benchmarks.jvm BUNDLE INPUT    prints a Markdown table

Both use the same bundle, input, beam and threads. Processes of the two take turns, each with its
own warm-up (a JIT compiler needs thousands of steps); a ratio is that of two medians of neighbours,
and shown is the median of the ratios with the least and the largest. Tokens must be equal.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from capexport.android.demo import demo_folder
from capexport.android.tools import program, run
from capexport.bench.description import input_file, write_inputs
from capexport.bench.devices.host import Host
from capexport.bench.devices.libraries import installed_library
from capexport.bench.measurement import prepare, run_round
from capexport.bench.settings import Settings
from capexport.bundle import Bundle, open_bundle
from capexport.kernels.build import build
from capexport.runtime import RUNTIMES, Given, encoder_inputs, read_inputs

QUANTITIES = ("encoder", "decoder_step", "caption")
CLOCKS = {"thread CPU": "thread_cpu_ms", "wall": "samples_ms"}
MAIN = "org.capexport.core.CaptionTimes"

Round = Mapping[str, Any]
"""The document of a process."""


@dataclass(frozen=True)
class Pair:
    """What two neighbouring processes measured."""

    jvm: Round
    runner: Round

    def __post_init__(self) -> None:
        if self.jvm["tokens"] != self.runner["tokens"]:
            raise SystemExit(f"other tokens: {self.jvm['tokens']}, {self.runner['tokens']}")


def compiled(folder: Path) -> Path:
    """The core and CaptionTimes as classes."""
    classes = folder / "classes"
    sources = [*sorted((demo_folder() / "core/src/main/java").rglob("*.java"))]
    sources.append(Path(__file__).with_name("CaptionTimes.java"))
    run([program("javac"), "-nowarn", "-d", str(classes), *map(str, sources)])
    return classes


def jvm_command(
    bundle: Bundle, settings: Settings, given: Given, folder: Path, classes: Path
) -> list[str]:
    inputs = encoder_inputs(bundle.manifest.signature, given)
    write_inputs(inputs, folder)
    numbers = (settings.threads, settings.beam, settings.warm_up, settings.samples)
    # Compiled in the foreground: else a busy machine leaves a warm program half interpreted.
    return [
        *(program("java"), "-Xbatch", f"-Dcapexport.library={build(product='captioner')}"),
        *("-cp", str(classes), MAIN, str(bundle.path), settings.runtime),
        *(str(installed_library(settings.runtime)), *map(str, numbers)),
        *(
            word
            for i, (name, array) in enumerate(inputs.items())
            for word in (
                *(name, array.dtype.name, str(folder / input_file(i))),
                ",".join(map(str, array.shape)),
            )
        ),
    ]


def run_jvm(command: Sequence[str]) -> Round:
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    document: Round = json.loads(done.stdout)
    return document


def measured(bundle: Bundle, settings: Settings, given: Given, rounds: int) -> list[Pair]:
    with tempfile.TemporaryDirectory() as temporary, Host() as host:
        command = jvm_command(bundle, settings, given, Path(temporary), compiled(Path(temporary)))
        prepare(host, bundle, settings, given)
        return [Pair(run_jvm(command), run_round(host, settings)) for _ in range(rounds)]


def row(pairs: Sequence[Pair], clock: str, quantity: str) -> str:
    jvm, runner = (
        [statistics.median(getattr(pair, name)[clock][quantity]) for pair in pairs]
        for name in ("jvm", "runner")
    )
    ratios = [one / other for one, other in zip(jvm, runner, strict=True)]
    ms = [f"{statistics.median(times):.3f}" for times in (runner, jvm)]
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    return f"{' | '.join(ms)} | {statistics.median(ratios):.2f} | {spread}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("input", type=Path, help="a picture, or features of which the first count")
    parser.add_argument("--beam", type=int, help="default: the bundle's")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--samples", type=int, default=100, help="of each quantity, in each round")
    parser.add_argument("--warm-up", type=int, default=600)
    options = parser.parse_args()
    bundle = open_bundle(options.bundle)
    given = next(iter(read_inputs(options.input, bundle.manifest.image).values()))
    print("| runtime | clock | quantity | runner ms | JVM ms | ratio | least to largest |")
    print("|---|---|---|---|---|---|---|")
    for runtime in RUNTIMES:
        settings = Settings(
            runtime=runtime,
            beam=options.beam or bundle.manifest.decoding.beam,
            threads=options.threads,
            rounds=1,
            samples=options.samples,
            warm_up=options.warm_up,
        )
        pairs = measured(bundle, settings, given, options.rounds)
        for name, clock in CLOCKS.items():
            for quantity in QUANTITIES:
                print(f"| {runtime} | {name} | {quantity} | {row(pairs, clock, quantity)} |")


if __name__ == "__main__":
    main()
