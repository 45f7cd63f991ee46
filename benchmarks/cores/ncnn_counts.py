"""Networks + an emulated core -> what ncnn's arm64 wheel executes for one call of each."""

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.arm.emulator import find_qemu, guest_root
from benchmarks.arm.packages import fetch_root, fetch_wheels
from benchmarks.cores.ncnn_files import Network
from capexport.bench.devices.arm_cores import Core
from capexport.bench.devices.core_models import CORE_MODELS, Cache
from capexport.bench.devices.qemu import plugin_argument

WHEELS = {"numpy": version("numpy"), "ncnn": "1.0.20261020"}
CALLS = 2
"""Of each network; the least counts."""
GUEST = Path(__file__).with_name("ncnn_guest.py")
FEW = 0.02
"""Of the products may come from other code than the layers', as softmax, or go another way."""


def count(core: Core, networks: Mapping[str, Network], cache: Path) -> dict[str, Mapping[str, Any]]:
    """By name of a network the counter's document of one call.

    Args:
        cache: a folder that keeps an arm64 Python and the wheels; 200 MB.

    Raises:
        RuntimeError: the emulated program failed.
    """
    root = fetch_root(cache)
    site = fetch_wheels(cache / "ncnn", root, WHEELS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, network in networks.items():
            network.write(folder / f"{file}.param", folder / f"{file}.bin")
        guest = guest_root(folder / "guest", root, core)
        _show_caches(guest, own_caches(core))
        program = [guest / "usr/bin/python3", GUEST, str(CALLS), *networks]
        emulated = ["-cpu", core.cpu, "-plugin", plugin_argument(core, "counts"), "-L", guest]
        done = subprocess.run(
            [find_qemu(), *emulated, *program],
            env={"PYTHONPATH": str(site), "LD_LIBRARY_PATH": str(site / "ncnn.libs")},
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{core.name}: status {done.returncode}\n{done.stderr[-2000:]}")
        return dict(zip(networks, least_calls((folder / "counts").read_text()), strict=True))


def least_calls(text: str) -> list[Mapping[str, Any]]:
    """The counter's lines -> of each CALLS in a row the one with the least instructions."""
    lines = [json.loads(line) for line in text.splitlines()]
    groups = [lines[i : i + CALLS] for i in range(0, len(lines), CALLS)]
    return [min(group, key=lambda line: int(line["instructions"])) for group in groups]


def arithmetic(network: Network, counted: Mapping[str, int]) -> str:
    """In which the network's products were computed, told by how many instructions made them.

    Raises:
        ValueError: by no one kind of instruction.
    """
    by_lanes = {
        "float32": 4 * counted["fma"],
        "float16": 8 * counted["fma"],
        "int8": 16 * counted["sdot"] + 8 * counted["simd_int_mul"],
    }
    for name, products in by_lanes.items():
        if abs(products / network.multiplications - 1) <= FEW:
            return name
    raise ValueError(f"{network.multiplications} products are none of {by_lanes}")


def own_caches(core: Core) -> tuple[Cache, ...]:
    return next(model.caches for model in CORE_MODELS if model.name == core.model)


def _show_caches(guest: Path, caches: Sequence[Cache]) -> None:
    """As Linux does: ncnn fits its tiles to them, and would else find those of this machine."""
    cpu = guest / "sys/devices/system/cpu/cpu0/cache"
    for index, cache in enumerate(caches):
        shown = {
            "level": str(index + 1),
            "type": "Data" if index == 0 else "Unified",
            "size": f"{cache.kib}K",
            "shared_cpu_map": "1",
        }
        (cpu / f"index{index}").mkdir(parents=True)
        for name, text in shown.items():
            (cpu / f"index{index}" / name).write_text(text + "\n")
