"""Estimated against published times of MobileNets on one core: how far core models are right.

    python -m benchmarks.cores CACHE --v2 WEIGHTS CHECKPOINT

prints a Markdown table. WEIGHTS is what `capexport export --encoder` takes; CHECKPOINT a small
captioner of its 1280 features (tests/checkpoints.py makes such), whose share is below half a
percent.

Each published time is held against the code that it is of, counted in the emulated core and costed
as `capexport bench --device qemu:CORE` does: XNNPACK's in LiteRT, ncnn's in its arm64 wheel. The
published clock replaces the model's; caches and memory stay those of the model's board. It takes
some minutes.
"""

import argparse
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.cores.ncnn_counts import arithmetic, count
from benchmarks.cores.ncnn_files import mobilenet_v1, mobilenet_v2
from benchmarks.cores.published import NCNN, PUBLISHED, V1_INT8, V2, XNNPACK, Published
from capexport.bench import Settings, bench
from capexport.bench.card import milliseconds, table
from capexport.bench.counting import profile
from capexport.bench.devices.arm_cores import CORES
from capexport.bench.estimate import estimate
from capexport.export import export

NETWORKS = {V2: mobilenet_v2, V1_INT8: lambda: mobilenet_v1(is_int8=True)}
GOAL = 0.25
SETTINGS = Settings("litert", beam=1, rounds=1, samples=1, warm_up=1)
FILES = {V2: "v2", V1_INT8: "v1_int8"}

Part = Mapping[str, Any]
Parts = dict[tuple[str, str, str, str], Part]
"""By network, publisher, emulated core and core model what a call is estimated to take."""


def ncnn_parts(cache: Path) -> Parts:
    """The estimates, each with the `arithmetic` that was counted."""
    networks = {FILES[name]: make() for name, make in NETWORKS.items()}
    found: Parts = {}
    for core in dict.fromkeys(one.emulated for one in PUBLISHED if one.who == NCNN):
        counted = count(CORES[core], networks, cache)
        profiles = {name: profile(region) for name, region in counted.items()}
        kinds = {name: arithmetic(networks[name], counted[name]) for name in counted}
        for model, one in estimate(profiles, core)["cores"].items():
            for name, file in FILES.items():
                part = {**one["parts"][file], "arithmetic": kinds[file]}
                found[name, NCNN, core, model] = part
    return found


def litert_parts(weights: str, checkpoint: Path) -> Parts:
    """Of an encoder in float32."""
    found: Parts = {}
    with tempfile.TemporaryDirectory() as folder:
        bundle = export(
            checkpoint,
            Path(folder, "bundle"),
            formats=("tflite",),
            recipe="fp32",
            weights="dense",
            encoder=weights,
        )
        for core in dict.fromkeys(one.emulated for one in PUBLISHED if one.who == XNNPACK):
            report = bench(bundle, f"qemu:{core}", SETTINGS)
            for model, one in report.estimate["cores"].items():
                part = {**one["parts"]["encoder"], "arithmetic": "float32"}
                found[V2, XNNPACK, core, model] = part
    return found


def estimated_ms(part: Part, ghz: float) -> float:
    """The model's cycles at another clock; its memory stays as fast as it is."""
    return float(part["core_cycles"] / (ghz * 1e6) + part.get("memory_ms", 0.0))


def rows(parts: Parts, published: Iterable[Published] = PUBLISHED) -> Iterator[tuple[Any, ...]]:
    for one in published:
        part = parts.get((one.network, one.who, one.emulated, one.model))
        if part is not None:
            ms = estimated_ms(part, one.ghz)
            error = ms / one.ms - 1
            yield (
                one.network,
                f"{one.core} {one.ghz} GHz",
                one.who,
                part["arithmetic"],
                one.ms,
                one.model,
                milliseconds(ms),
                milliseconds(part["memory_ms"]) if "memory_ms" in part else "not known",
                f"{error:+.0%}",
                "yes" if abs(error) <= GOAL else "**no**",
                one.note,
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cache", type=Path, help="keeps what was fetched; 200 MB")
    parser.add_argument("--v2", nargs=2, metavar=("WEIGHTS", "CHECKPOINT"), required=True)
    options = parser.parse_args()
    weights, checkpoint = options.v2
    parts = ncnn_parts(options.cache.resolve()) | litert_parts(weights, Path(checkpoint))
    columns = ("network", "core", "published by", "arithmetic", "ms", "model")
    columns += ("estimated ms", "of it memory", "error", f"within {GOAL:.0%}", "note")
    found = [*rows(parts)]
    print(table(columns, found))
    judged = [row[-2] for row in found]
    print(f"\n{judged.count('yes')} of {len(judged)} are within {GOAL:.0%}.")


if __name__ == "__main__":
    main()
