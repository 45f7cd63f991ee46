"""Commands on stdin -> JSON lines on stdout: opens one model in one runtime and times its steps.

Runs in the peer's environment, so it knows numpy and the runner, and nothing of the project.
Times are CPU time of the whole process, all its threads together, in milliseconds.
"""

import gzip
import importlib
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

WARM_UP, WARM, COLD = 2, 5, 3
"""Steps per round: not timed, timed, and timed each after the cache was overwritten."""

L3 = Path("/sys/devices/system/cpu/cpu0/cache/index3/size")
SMALLEST_L3 = 32 << 20
CACHES_OVERWRITTEN = 3
MIB = 1 << 20


class Worker:
    """One model, not open yet. The runner's library is imported first: opening is the file only."""

    def __init__(self, plan: dict[str, Any]) -> None:
        models = Path(plan["models"])
        self._files = [models / file for file in plan["files"]]
        self._kernels = plan["kernels"]
        self._steps = _rows(dict(np.load(models / "steps.npz")))
        self._outputs = _rows(dict(np.load(models / "outputs.npz")))
        self._spoiler = np.zeros(CACHES_OVERWRITTEN * _l3_bytes(), np.uint8)
        self._library = importlib.import_module(f"runners.{plan['runner']}")
        self._runner: Any = None

    def open(self) -> dict[str, Any]:
        """Open the file and run a first step, which is when some libraries pack the weights."""
        before, start = _resident_mib(), time.process_time()
        self._runner = self._library.Runner(self._files, list(self._outputs[0]), self._kernels)
        self._runner.set(self._steps[0])
        self._runner.step()
        opened = (time.process_time() - start) * 1e3
        growth = _resident_mib() - before
        return {"open": opened, "resident": growth, "version": self._library.VERSION}

    def compare(self) -> dict[str, Any]:
        """Largest difference from torch over all steps, in nats and relative per output."""
        nats, relative, words = 0.0, 0.0, 0
        for step, expected in zip(self._steps, self._outputs, strict=True):
            self._runner.set(step)
            self._runner.step()
            for given, wanted in zip(self._runner.outputs(), expected.values(), strict=True):
                error = float(np.abs(np.reshape(given, wanted.shape) - wanted).max())
                relative = max(relative, error / float(np.abs(wanted).max()))
            first, reference = self._runner.outputs()[0], next(iter(expected.values()))
            nats = max(nats, float(np.abs(np.reshape(first, reference.shape) - reference).max()))
            words += int(np.argmax(first) == np.argmax(reference))
        return {"nats": nats, "relative": relative, "words": words, "of": len(self._steps)}

    def sizes(self) -> dict[str, Any]:
        """MB of the files as they are, and each through gzip -6."""
        contents = [file.read_bytes() for file in self._files]
        zipped = [len(gzip.compress(content, 6)) for content in contents]
        return {"file": sum(map(len, contents)) / 1e6, "gzip": sum(zipped) / 1e6}

    def measure(self) -> dict[str, Any]:
        """Medians of one round; `own` is the main thread's share of the CPU time."""
        samples = [self._timed(lambda: None) for _ in range(WARM_UP + WARM)][WARM_UP:]
        cold = [self._timed(self._overwrite_caches) for _ in range(COLD)]
        return {
            "warm": statistics.median(total for total, _ in samples),
            "cold": statistics.median(total for total, _ in cold),
            "own": sum(own for _, own in samples) / sum(total for total, _ in samples),
        }

    def _timed(self, disturb: Callable[[], None]) -> tuple[float, float]:
        """Milliseconds of process and of main thread; inputs are written before the clock runs."""
        self._runner.set(self._steps[-1])
        disturb()
        thread, process = time.thread_time(), time.process_time()
        self._runner.step()
        process, thread = time.process_time() - process, time.thread_time() - thread
        return process * 1e3, thread * 1e3

    def _overwrite_caches(self) -> None:
        self._spoiler += 1


def _rows(columns: dict[str, Any]) -> list[dict[str, Any]]:
    """Arrays [steps, ...] by name -> arrays [...] by name, one dictionary per step."""
    steps = len(next(iter(columns.values())))
    return [{name: np.ascontiguousarray(a[i]) for name, a in columns.items()} for i in range(steps)]


def _l3_bytes() -> int:
    """As the kernel tells it; a virtual machine may not."""
    told = L3.read_text().strip() if L3.is_file() else "0K"
    return max(SMALLEST_L3, int(told.rstrip("K")) << 10)


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


COMMANDS = {
    "open": Worker.open,
    "compare": Worker.compare,
    "sizes": Worker.sizes,
    "measure": Worker.measure,
}


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not look like an answer
    worker = Worker(json.loads(sys.argv[1]))
    for line in sys.stdin:
        answer = COMMANDS[line.strip()](worker)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
