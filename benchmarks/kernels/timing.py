"""Callables -> CPU times of one thread, taken in turn, so that a busy machine moves all of them."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]
"""Microseconds per call, one per round."""

SAMPLE_US = 200.0
"""A hot sample repeats its call until it lasts about this long: the clock costs 0.3 us itself."""
LEAST_ROUNDS, MOST_ROUNDS = 9, 101
CACHES_OVER = 2
"""Cold: this many times the largest cache is written before each call."""


def measure(calls: Mapping[str, Callable[[], object]], budget_s: float, *, cold: bool) -> "Times":
    """Times of every call, round by round, until `budget_s` of CPU time is spent.

    Args:
        cold: a call finds nothing of its own in the caches; else it finds all that fits.
    """
    flush = _flusher() if cold else None
    repeats = {name: 1 if cold else _repeats(call) for name, call in calls.items()}
    samples: dict[str, list[float]] = {name: [] for name in calls}
    start = time.thread_time()
    for done in range(MOST_ROUNDS):
        if done >= LEAST_ROUNDS and time.thread_time() - start > budget_s:
            break
        for name, call in calls.items():
            if flush:
                flush()
            samples[name].append(_sample(call, repeats[name]))
    return Times({name: np.array(taken) for name, taken in samples.items()})


class Times:
    """What one measurement has found."""

    def __init__(self, samples: Mapping[str, Samples]) -> None:
        self._samples = samples

    def median(self, name: str) -> float:
        """Microseconds of one call."""
        return float(np.median(self._samples[name]))

    def fastest(self, names: list[str]) -> str:
        return min(names, key=self.median)

    def ratio(self, slow: str, fast: str) -> float:
        """How many times faster `fast` is: the median over the rounds of each round's ratio."""
        return float(np.median(self._samples[slow] / self._samples[fast]))


def _sample(call: Callable[[], object], repeats: int) -> float:
    start = time.thread_time_ns()
    for _ in range(repeats):
        call()
    return (time.thread_time_ns() - start) / 1e3 / repeats


def _repeats(call: Callable[[], object]) -> int:
    call()
    return max(1, round(SAMPLE_US / min(_sample(call, 3) for _ in range(3))))


def _flusher() -> Callable[[], object]:
    memory = np.zeros(CACHES_OVER * largest_cache(), np.uint8)
    return lambda: np.add(memory, 1, out=memory)


def largest_cache() -> int:
    """Bytes of the largest cache of the first CPU, as Linux tells it."""
    sizes = Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size")
    return max(int(size.read_text().strip().rstrip("K")) << 10 for size in sizes)


def cpu_name() -> str:
    """The processor as /proc/cpuinfo has it."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
