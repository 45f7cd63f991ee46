"""Jobs -> what each computed on an emulated core, and the instructions that one run of it took."""

import json
import re
import shutil
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.arm.attribution import Attribution
from benchmarks.arm.guest import FEW, MANY, ROUNDS
from benchmarks.arm.packages import WHEELS, fetch_root, fetch_wheels, installed
from capexport.bench.devices.arm_cores import Core
from capexport.kernels.build import build
from capexport.kernels.compiler import find_compiler, run_compiler
from capexport.kernels.targets import TARGETS

QEMU = "qemu-aarch64"
FIRST_VERSION_WITHOUT_OUR_PLUGINS = 9
HERE = Path(__file__).parent
ARM = "aarch64-linux-gnu"
REGIONS_PER_JOB = 1 + 2 * ROUNDS  # warm-up, then few and many in turn

Array = NDArray[Any]
Place = tuple[str, str | None]


@dataclass(frozen=True, eq=False)
class Job:
    """One graph to run: in a runtime, with our library for it or without, on these inputs."""

    runtime: str
    graph: bytes
    with_kernels: bool
    inputs: Mapping[str, Array]


@dataclass(frozen=True, eq=False)
class Run:
    """What one run of a job computes and costs.

    Args:
        places: instructions by file and function.
    """

    outputs: Mapping[str, Array]
    places: Mapping[Place, float]

    @property
    def instructions(self) -> float:
        return sum(self.places.values())


class Emulator:
    """An arm64 Python with both runtimes, and a counter of its instructions.

    Args:
        cache: a folder that keeps what was fetched; 350 MB.
    """

    def __init__(self, cache: Path) -> None:
        self._qemu = find_qemu()
        self._cache = cache.resolve()
        self._cache.mkdir(parents=True, exist_ok=True)
        self._root = fetch_root(self._cache)
        self._site = fetch_wheels(self._cache, self._root, installed(WHEELS))
        self._libraries = {r: build(ARM, product=r) for r in ("litert", "onnxruntime")}
        self._counter = self._build_counter()

    def run(self, core: Core, jobs: Sequence[Job], folder: Path) -> list[Run]:
        """Every job once, in one process. `folder` is for its files and must exist.

        Raises:
            RuntimeError: the guest failed.
        """
        folder = folder.resolve()
        described = [self._describe(job, folder / str(i)) for i, job in enumerate(jobs)]
        (folder / "jobs.json").write_text(json.dumps(described))
        root = guest_root(self._cache / core.name, self._root, core)
        plugin = f"file={self._counter},out={folder / 'regions'}"
        result = subprocess.run(
            [
                *(self._qemu, "-cpu", core.cpu, "-plugin", plugin, "-L", root),
                *(root / "usr/bin/python3", HERE / "guest.py", folder / "jobs.json"),
            ],
            env={"PYTHONPATH": str(self._site)},
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            raise RuntimeError(f"{core.name}: status {result.returncode}\n{result.stderr[-2000:]}")
        return list(self._runs(described, folder))

    def _describe(self, job: Job, folder: Path) -> dict[str, str | None]:
        folder.mkdir()
        (folder / "graph").write_bytes(job.graph)
        np.savez(folder / "inputs.npz", allow_pickle=False, **job.inputs)
        return {
            "runtime": job.runtime,
            "model": str(folder / "graph"),
            "library": str(self._libraries[job.runtime]) if job.with_kernels else None,
            "inputs": str(folder / "inputs.npz"),
            "outputs": str(folder / "outputs.npz"),
        }

    def _runs(self, described: list[dict[str, str | None]], folder: Path) -> Iterator[Run]:
        regions = list(read_regions((folder / "regions").read_text()))
        for i, job in enumerate(described):
            maps = (folder / str(i) / "maps").read_text()
            attribution = Attribution(maps, self._libraries.values())
            own = regions[i * REGIONS_PER_JOB + 1 : (i + 1) * REGIONS_PER_JOB]
            places: dict[Place, float] = defaultdict(float)
            for address, count in per_run(own).items():
                places[attribution.place(address)] += count
            with np.load(str(job["outputs"])) as outputs:
                yield Run(dict(outputs), places)

    def _build_counter(self) -> Path:
        counter = self._cache / "counter.so"
        flags = ("-std=gnu11", "-O2", "-Wall", "-Wextra", "-shared", "-fPIC")
        compiler = find_compiler(TARGETS["host"])
        run_compiler([*compiler, *flags, str(HERE / "counter.c"), "-o", str(counter)], self._cache)
        return counter


def guest_root(folder: Path, root: Path, core: Core) -> Path:
    """A folder with the common root, seen through links, and this core's /proc/cpuinfo.

    QEMU looks up every absolute path below its -L first; so no mount is needed.
    """
    (folder / "proc").mkdir(parents=True, exist_ok=True)
    (folder / "proc/cpuinfo").write_text(core.cpuinfo())
    for name in ("etc", "lib", "usr"):
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(root / name)
    return folder


def find_qemu() -> str:
    """Path of an emulator that takes the counter.

    Raises:
        RuntimeError: there is none, or it is too new.
    """
    path = shutil.which(QEMU)
    if path is None:
        raise RuntimeError(f"{QEMU} is not installed (Debian 12: apt install qemu-user)")
    text = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"version (\d+)", text)
    if version is None or int(version[1]) >= FIRST_VERSION_WITHOUT_OUR_PLUGINS:
        raise RuntimeError(f"counter.c is for QEMU 4.2 to 8.2, this is: {text.splitlines()[0]}")
    return path


def read_regions(text: str) -> Iterator[Counter[int]]:
    """What counter.c wrote -> per region the instructions by address of their block."""
    for region in text.split("region\n")[1:]:
        counts: Counter[int] = Counter()
        for line in region.splitlines():
            address, instructions, executions = line.split()
            counts[int(address, 16)] += int(instructions) * int(executions)
        yield counts


def per_run(regions: Sequence[Counter[int]]) -> dict[int, float]:
    """Regions of few and of many runs in turn -> what one run adds in the median round."""
    rounds = [
        {address: (many[address] - few[address]) / (MANY - FEW) for address in few.keys() | many}
        for few, many in zip(regions[::2], regions[1::2], strict=True)
    ]
    rounds.sort(key=lambda counts: sum(counts.values()))
    return {address: count for address, count in rounds[len(rounds) // 2].items() if count}
