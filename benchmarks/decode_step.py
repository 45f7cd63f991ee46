"""One decoder step: CPU time of each recipe and weight form, and its ratio to fp32 dense.

python benchmarks/decode_step.py CHECKPOINT    prints a Markdown table

Thread CPU time, one thread, all cells in turn within each round, medians; each cell's ratio is the
median over rounds of its time by fp32 dense's time in the same round. Weights stay in cache where
they fit: on a phone they would not.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from capexport.export import export
from capexport.runtime import Session, open_session

CELLS = (
    ("fp32", "dense"),
    ("weight_only_wi8", "dense"),
    ("dynamic_wi8", "dense"),
    ("dynamic_wi8", "stock-sparse"),
    ("dynamic_wi8", "packed"),
)
RUNTIMES = ("litert", "onnxruntime")
REGIONS = 36
ROUNDS, WARM_UP = 40, 5


def stepper(session: Session, beams: int, regions: int) -> Callable[[], object]:
    rng = np.random.default_rng(0)
    lengths = {"beams": beams, "regions": regions}
    encoded = {
        spec.name: rng.random([lengths.get(d, d) for d in spec.shape], np.float32)
        for spec in session.signature.encoder_outputs
    }
    states = session.initial_states(beams, encoded)
    token = np.full(beams, session.decoding.bos, np.int32)
    return lambda: session.step(token, states, encoded)


def interleaved(steps: list[Callable[[], object]]) -> np.ndarray:
    """Milliseconds [rounds, cells]."""
    samples = np.empty((ROUNDS + WARM_UP, len(steps)))
    for sample in samples:
        for i, step in enumerate(steps):
            start = time.thread_time()
            step()
            sample[i] = (time.thread_time() - start) * 1e3
    return samples[WARM_UP:]


def resize_cost(session: Session) -> float:
    """Milliseconds that a step costs more when the number of regions has just changed."""
    steps = [stepper(session, 3, regions) for regions in (36, 37)]
    changing = np.median(interleaved(steps))
    return float(changing - np.median(interleaved(steps[:1])))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    checkpoint = parser.parse_args().checkpoint
    with tempfile.TemporaryDirectory() as folder:
        bundles = [
            export(checkpoint, Path(folder) / f"{i}", recipe=recipe, weights=weights)
            for i, (recipe, weights) in enumerate(CELLS)
        ]
        print("| runtime | recipe | weights | beams | median ms | ratio to fp32 |")
        print("|---|---|---|---|---|---|")
        for runtime in RUNTIMES:
            sessions = [open_session(bundle, runtime) for bundle in bundles]
            for beams in (1, 3, 5):
                samples = interleaved([stepper(s, beams, REGIONS) for s in sessions])
                ratios = np.median(samples / samples[:, :1], axis=0)
                for cell, ms, ratio in zip(CELLS, np.median(samples, axis=0), ratios, strict=True):
                    print(f"| {runtime} | {' | '.join(cell)} | {beams} | {ms:.3f} | {ratio:.2f} |")
            print(f"{runtime}: another number of regions costs {resize_cost(sessions[2]):.2f} ms")


if __name__ == "__main__":
    main()
