"""Estimated against published times of MobileNets on one core: how far core models are right.

    python benchmarks/published_cores.py --v1 WEIGHTS CHECKPOINT --v2 WEIGHTS CHECKPOINT \\
        --calibration PHOTOS

prints a Markdown table. WEIGHTS is what `capexport export --encoder` takes; CHECKPOINT a small
captioner of its features (1024 and 1280 wide: tests/checkpoints.py makes such), whose share is
below half a percent.

LiteRT's arm64 code for each emulated core is counted and costed as `capexport bench --device
qemu:CORE` does; the published clock replaces the model's. Published are XNNPACK's README (commit
75db3c0, single thread) and ncnn's benchmark/README (commit a4d2ea1, one thread, the least of its
loops). The float32 runs take minutes in an emulator.
"""

import argparse
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from capexport.bench import Settings, bench
from capexport.bench.card import milliseconds, table
from capexport.bench.estimate import CORE_MODELS
from capexport.export import export

RECIPES = {"fp32": "fp32", "int8": "encoder=static_wi8_ai8,decoder=dynamic_wi8"}
EMULATED = {model.name: model.emulated for model in CORE_MODELS}
GOAL = 0.25
SETTINGS = Settings("litert", beam=1, rounds=1, samples=1, warm_up=1)


@dataclass(frozen=True)
class Published:
    """One measurement that somebody published.

    Args:
        model: LLVM's name of the core's model, or of the nearest.
        arithmetic: what is estimated; `note` says where theirs is another.
    """

    network: str
    arithmetic: str
    who: str
    core: str
    model: str
    ghz: float
    ms: float
    note: str = ""


HALF = "theirs is float16"
NEAREST = "no model of its own"
PUBLISHED = (
    Published("v2", "fp32", "XNNPACK", "A73 class, Pixel 2", "cortex-a57", 2.35, 53, NEAREST),
    Published("v2", "fp32", "XNNPACK", "A75 class, Pixel 3a", "cortex-a57", 2.0, 55, NEAREST),
    Published("v2", "fp32", "ncnn", "A53, RPi 3B+", "cortex-a53", 1.4, 159),
    Published("v2", "fp32", "ncnn", "A72, RPi 4", "cortex-a57", 1.8, 93, NEAREST),
    Published("v2", "fp32", "ncnn", "A73, Kirin 970", "cortex-a57", 2.4, 70.5, NEAREST),
    Published("v2", "fp32", "ncnn", "A55, RK3568", "cortex-a55", 2.0, 60, HALF),
    Published("v2", "fp32", "ncnn", "A55, RK3566", "cortex-a55", 1.8, 55.8, HALF),
    Published("v2", "fp32", "ncnn", "A76, RPi 5", "neoverse-n1", 2.4, 16.2, HALF),
    Published("v2", "fp32", "ncnn", "A76 class, SD855+", "neoverse-n1", 2.96, 9.8, HALF),
    Published("v2", "fp32", "ncnn", "X3, SD8 Gen 2", "neoverse-v2", 3.2, 9.5, HALF),
    Published("v1", "int8", "ncnn", "A53, RPi 3B+", "cortex-a53", 1.4, 181),
    Published("v1", "int8", "ncnn", "A72, RPi 4", "cortex-a57", 1.8, 85, NEAREST),
    Published("v1", "int8", "ncnn", "A73, Kirin 970", "cortex-a57", 2.4, 152, NEAREST),
    Published("v1", "int8", "ncnn", "A55, RK3568", "cortex-a55", 2.0, 75),
    Published("v1", "int8", "ncnn", "A55, RK3566", "cortex-a55", 1.8, 64),
    Published("v1", "int8", "ncnn", "A76, RPi 5", "neoverse-n1", 2.4, 14.4),
    Published("v1", "int8", "ncnn", "A76 class, SD855+", "neoverse-n1", 2.96, 11.1),
    Published("v1", "int8", "ncnn", "X3, SD8 Gen 2", "neoverse-v2", 3.2, 8.8),
)


def estimated_ms(part: Mapping[str, float], ghz: float) -> float:
    """The model's cycles at another clock; its memory stays as fast as it is."""
    return part["core_cycles"] / (ghz * 1e6) + part.get("memory_ms", 0.0)


def encoders(
    networks: Mapping[str, tuple[str, Path]], calibration: Path
) -> dict[tuple[str, str, str], Mapping[str, float]]:
    """By network, arithmetic and core model what an encoder call is estimated to take."""
    found = {}
    wanted = dict.fromkeys((p.network, p.arithmetic) for p in PUBLISHED if p.network in networks)
    for network, arithmetic in wanted:
        weights, checkpoint = networks[network]
        own = [p for p in PUBLISHED if (p.network, p.arithmetic) == (network, arithmetic)]
        with tempfile.TemporaryDirectory() as folder:
            bundle = export(
                checkpoint,
                Path(folder, "bundle"),
                formats=("tflite",),
                recipe=RECIPES[arithmetic],
                weights="dense",
                encoder=weights,
                calibration=calibration if arithmetic == "int8" else None,
            )
            for core in dict.fromkeys(EMULATED[p.model] for p in own):
                report = bench(bundle, f"qemu:{core}", SETTINGS)
                for model, one in report.estimate["cores"].items():
                    found[network, arithmetic, model] = one["parts"]["encoder"]
    return found


def rows(parts: Mapping[tuple[str, str, str], Mapping[str, float]]) -> Iterator[tuple[Any, ...]]:
    for one in PUBLISHED:
        key = (one.network, one.arithmetic, one.model)
        if key in parts:
            ms = estimated_ms(parts[key], one.ghz)
            error = ms / one.ms - 1
            verdict = "" if one.note == HALF else "yes" if abs(error) <= GOAL else "**no**"
            yield (
                f"MobileNet-{one.network} {one.arithmetic}",
                f"{one.core} {one.ghz} GHz",
                one.who,
                one.ms,
                one.model,
                milliseconds(ms),
                milliseconds(parts[key].get("memory_ms", 0.0)),
                f"{error:+.0%}",
                verdict,
                one.note,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for network in ("v1", "v2"):
        parser.add_argument(f"--{network}", nargs=2, metavar=("WEIGHTS", "CHECKPOINT"))
    parser.add_argument("--calibration", type=Path, required=True)
    options = parser.parse_args()
    given = {name: getattr(options, name) for name in ("v1", "v2")}
    networks = {name: (pair[0], Path(pair[1])) for name, pair in given.items() if pair}
    columns = ("network", "core", "published by", "ms", "model")
    columns += ("estimated ms", "of it memory", "error", f"within {GOAL:.0%}", "note")
    found = [*rows(encoders(networks, options.calibration))]
    print(table(columns, found))
    judged = [row[-2] for row in found if row[-2]]
    print(f"\n{judged.count('yes')} of {len(judged)} in the same arithmetic are within {GOAL:.0%}.")


if __name__ == "__main__":
    main()
