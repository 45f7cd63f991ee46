"""Text of Linux' own files -> facts about a machine; the same for this one, a phone and a board."""

import re
from collections.abc import Callable, Mapping
from typing import Any

ReadText = Callable[[str], str | None]
"""Contents of a file of the machine by its path; None where it cannot be read."""

PARTS = {
    "0xd03": "Cortex-A53",
    "0xd05": "Cortex-A55",
    "0xd08": "Cortex-A72",
    "0xd0b": "Cortex-A76",
    "0xd0c": "Neoverse-N1",
    "0xd0d": "Cortex-A77",
    "0xd41": "Cortex-A78",
    "0xd44": "Cortex-X1",
    "0xd46": "Cortex-A510",
    "0xd47": "Cortex-A710",
    "0xd48": "Cortex-X2",
    "0xd4d": "Cortex-A715",
    "0xd4e": "Cortex-X3",
    "0xd80": "Cortex-A520",
    "0xd81": "Cortex-A720",
    "0xd82": "Cortex-X4",
}
"""Arm's "CPU part" in /proc/cpuinfo (arch/arm64/include/asm/cputype.h of Linux)."""
CPU = "sys/devices/system/cpu/cpu{}"


def machine_facts(read: ReadText) -> dict[str, Any]:
    """Cores by number and name, their highest clocks, memory in KiB, and the system's name."""
    cores = _cores(read("proc/cpuinfo") or "")
    facts: dict[str, Any] = {"cores": len(cores), "core_names": _counted(cores)}
    clocks = {core: _number(read, f"{CPU.format(core)}/cpufreq/cpuinfo_max_freq") for core in cores}
    if known := {str(core): clock for core, clock in clocks.items() if clock is not None}:
        facts["max_clock_khz"] = known
    if memory := re.search(r"MemTotal:\s+(\d+) kB", read("proc/meminfo") or ""):
        facts["memory_kib"] = int(memory[1])
    if system := re.match(r"(\S+ version \S+)", read("proc/version") or ""):
        facts["system"] = system[1]
    return facts


def machine_state(read: ReadText, cores: int) -> dict[str, Any]:
    """Load of the last minute, present clocks in kHz, and temperatures in degrees Celsius."""
    state: dict[str, Any] = {}
    if load := re.match(r"[\d.]+", read("proc/loadavg") or ""):
        state["load"] = float(load[0])
    clocks = {
        str(core): _number(read, f"{CPU.format(core)}/cpufreq/scaling_cur_freq")
        for core in range(cores)
    }
    if known := {core: clock for core, clock in clocks.items() if clock is not None}:
        state["clock_khz"] = known
    if zones := _temperatures(read):
        state["celsius"] = zones
    return state


def _cores(cpuinfo: str) -> dict[int, str]:
    """Names by number. Arm numbers its designs; a "model name" there is the architecture's."""
    cores = {}
    for block in cpuinfo.split("\n\n"):
        fields: dict[str, str] = dict(re.findall(r"^(.+?)\s*:\s*(.*)$", block, re.M))
        if "processor" in fields:
            part = fields.get("CPU part") or fields.get("model name", "unknown")
            cores[int(fields["processor"])] = PARTS.get(part, part)
    return cores


def _counted(cores: Mapping[int, str]) -> dict[str, int]:
    names = list(cores.values())
    return {name: names.count(name) for name in dict.fromkeys(names)}


def _temperatures(read: ReadText) -> dict[str, float]:
    """By name of the zone; a number behind it where several have one name."""
    zones: dict[str, float] = {}
    for i in range(100):
        folder = f"sys/class/thermal/thermal_zone{i}"
        name = read(f"{folder}/type")
        if name is None:
            break
        millidegrees = _number(read, f"{folder}/temp")
        if millidegrees is not None:
            key = name.strip()
            zones[key if key not in zones else f"{key} {i}"] = millidegrees / 1000
    return zones


def _number(read: ReadText, path: str) -> int | None:
    text = (read(path) or "").strip()
    return int(text) if re.fullmatch(r"-?\d+", text) else None
