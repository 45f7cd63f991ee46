"""Memory of a decoder step: what opening the file and running it takes, per weight form.

python benchmarks/memory.py CHECKPOINT    prints a Markdown table

Each row is a process of its own, which imports the runtime, opens decoder_step and runs it ten
times with three beams. MB of 10^6 bytes; "resident" counts pages of the file that lie in memory,
which the system may drop, "own" those that belong to the process alone, "peak" is the most that
was resident at any time from the import to the end.
"""

import argparse
import importlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from capexport.bundle import open_bundle
from capexport.runtime.backends import RUNTIMES, backend

CELLS = (
    ("fp32", "dense"),
    ("dynamic_wi8", "dense"),
    ("dynamic_wi8", "stock-sparse"),
    ("dynamic_wi8", "packed"),
)
PACKAGES = {"litert": "ai_edge_litert.interpreter", "onnxruntime": "onnxruntime"}
SUFFIXES = {"litert": "tflite", "onnxruntime": "onnx"}
BEAMS, REGIONS, STEPS = 3, 36, 10
STAGES = ("imported", "opened", "run")


def resident() -> dict[str, float]:
    """MB of this process: all that is resident, what is its own, and the most that was resident."""
    lines = Path("/proc/self/status").read_text().splitlines()
    kib = {line.split(":")[0]: int(line.split()[1]) for line in lines if line.endswith(" kB")}
    fields = {"resident": "VmRSS", "own": "RssAnon", "peak": "VmHWM"}
    return {name: kib[field] * 1.024e-3 for name, field in fields.items()}


def forget_peak() -> None:
    """The peak is that of the time from now on (proc(5), clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5")


def run_alone(folder: Path, runtime: str) -> list[dict[str, float]]:
    """Memory after each of STAGES; the process must be fresh."""
    bundle = open_bundle(folder)
    importlib.import_module(PACKAGES[runtime])
    rng = np.random.default_rng(0)
    axes = {"beams": BEAMS, "regions": REGIONS}
    inputs = {}
    for spec in bundle.manifest.signature.step_inputs:
        shape = [axes[d] if isinstance(d, str) else d for d in spec.shape]
        inputs[spec.name] = rng.random(shape).astype(spec.dtype)
    forget_peak()
    taken = [resident()]
    path = bundle.file(f"decoder_step.{SUFFIXES[runtime]}")
    packed = bundle.manifest.weights == "packed"
    graph = backend(runtime).open_graph(path, 1, packed=packed)
    taken.append(resident())
    for _ in range(STEPS):
        graph.run(inputs)
    return [*taken, resident()]


def row(folder: Path, runtime: str) -> str:
    command = [sys.executable, __file__, str(folder), "--alone", runtime]
    finished = subprocess.run(command, check=True, capture_output=True, text=True)
    stages = dict(zip(STAGES, json.loads(finished.stdout), strict=True))
    size = (folder / f"decoder_step.{SUFFIXES[runtime]}").stat().st_size / 1e6
    numbers = [size, *(stages[stage]["resident"] for stage in STAGES)]
    kinds = ("resident", "own", "peak")
    growth = [stages["run"][kind] - stages["imported"][kind] for kind in kinds]
    return " | ".join(f"{number:.1f}" for number in [*numbers, *growth])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--alone", choices=RUNTIMES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.alone:
        print(json.dumps(run_alone(given.checkpoint, given.alone)))
        return
    from capexport.export import export  # brings torch, which the measured processes do without

    head = "file | resident: imported | opened | run | growth: resident | own | peak"
    print(f"| runtime | recipe | weights | {head} |\n|{'---|' * 10}")
    with tempfile.TemporaryDirectory() as temporary:
        for recipe, weights in CELLS:
            folder = Path(temporary, f"{recipe}-{weights}")
            export(given.checkpoint, folder, recipe=recipe, weights=weights)
            for runtime in SUFFIXES:
                cells = row(folder, runtime)
                print(f"| {runtime} | {recipe} | {weights} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
