"""A whole decoder step on an emulated Arm core: instructions of the dense and of the packed bundle.

python -m benchmarks.arm.steps CACHE CHECKPOINT [--core cortex-a72]    prints a Markdown table

Guest instructions per step, never time; see README.md.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.arm.emulator import Array, Emulator, Job
from capexport.bench.devices.arm_cores import CORES
from capexport.bundle import DECODER_STEP, Bundle, graph_file
from capexport.export import export
from capexport.runtime.backends import backend
from capexport.spec.signature import BEAMS, LOG_PROBS, REGIONS, TOKEN, CaptionerSignature

FORMS = ("dense", "packed")
RUNTIMES = ("litert", "onnxruntime")
BEAM_COUNTS = (1, 3, 5)
REGION_COUNT = 36


def step_inputs(signature: CaptionerSignature, beams: int) -> dict[str, Array]:
    """Random states and memory, the token 1 for every beam."""
    rng = np.random.default_rng(0)
    lengths = {BEAMS: beams, REGIONS: REGION_COUNT}
    given: dict[str, Array] = {}
    for spec in signature.step_inputs:
        shape = [lengths[d] if isinstance(d, str) else d for d in spec.shape]
        given[spec.name] = rng.uniform(-1, 1, shape).astype(np.float32)
    given[TOKEN] = np.ones(beams, np.int32)
    return given


def distance(bundle: Bundle, job: Job, got: Array) -> float:
    """Largest difference of log-probabilities, in nats, from the same file on this machine."""
    path = bundle.file(graph_file(job.runtime, DECODER_STEP))
    here = backend(job.runtime).open_graph(path, 1, packed=job.with_kernels).run(dict(job.inputs))
    return float(np.abs(here[LOG_PROBS] - got).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cache", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--core", choices=CORES, default="cortex-a76")
    given = parser.parse_args()
    emulator = Emulator(given.cache)
    print(f"emulated-counts, {given.core}: guest instructions per decoder step\n")
    print("| runtime | beams | dense, M | packed, M | dense / packed | nats from x86 |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bundles = [export(given.checkpoint, folder / form, weights=form) for form in FORMS]
        for runtime in RUNTIMES:
            for beams in BEAM_COUNTS:
                inputs = step_inputs(bundles[0].manifest.signature, beams)
                graph = graph_file(runtime, DECODER_STEP)
                jobs = [
                    Job(runtime, bundle.read(graph), form == "packed", inputs)
                    for form, bundle in zip(FORMS, bundles, strict=True)
                ]
                work = folder / f"{runtime}{beams}"
                work.mkdir()
                runs = emulator.run(CORES[given.core], jobs, work)
                counts = [run.instructions for run in runs]
                far = max(
                    distance(bundle, job, run.outputs[LOG_PROBS])
                    for bundle, job, run in zip(bundles, jobs, runs, strict=True)
                )
                print(
                    f"| {runtime} | {beams} | {counts[0] / 1e6:.2f} | {counts[1] / 1e6:.2f} "
                    f"| {counts[0] / counts[1]:.2f} | {far:.1g} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
