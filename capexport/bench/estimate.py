"""Counts + hot blocks -> milliseconds on core models: an estimate, and labelled as one.

The core's time, from llvm-mca's model of its pipeline, and the memory's, from the bytes that
passed the last cache, one after the other. Nothing overlaps: the execution-cache-memory model
(Treibig and Hager 2009; Stengel et al. 2015) has transfers wait for a core's loads, and here they
wait for the rest as well. A roofline, the larger of the two, is the other bound; published times of
one core lie nearer to this one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from capexport.bench.devices.core_models import CoreModel, models_of
from capexport.bench.devices.llvm import DIGITS_OF_A_WORD, block_cycles, disassemble

KIND = "model-estimate"
LINE_BYTES = 64
BYTES_MOVED_PER_COPIED = 2
ENOUGH = 0.97
"""Share of the instructions whose blocks are modelled; the rest is taken to be like them."""


@dataclass(frozen=True)
class Block:
    """A translated block: its words as hexadecimal digits, and how often it ran."""

    words: str
    executions: int

    @property
    def instructions(self) -> int:
        return len(self.words) // DIGITS_OF_A_WORD * self.executions


@dataclass(frozen=True)
class Lines:
    """Of 64 bytes, between the last cache and memory: brought by loads; written back."""

    fetched: int
    written: int


@dataclass(frozen=True)
class Profile:
    """What one call executes.

    Args:
        hot: the heaviest first.
        lines: by name of the core model, whose caches they passed.
    """

    instructions: int
    hot: Sequence[Block]
    lines: Mapping[str, Lines]


ASSUMES = (
    "every load hits the first cache and every branch is foreseen in the core's part",
    "each block of code repeats back to back; blocks beside the modelled ones cost the same",
    "memory: bytes that pass the last cache, at the speed at which one core's memcpy moves them, "
    "which is twice what it copies; lines that stores bring in are written whole and not read",
    "caches are one core's alone, on the board whose memcpy it is; no prefetch",
    "core and memory wait for each other: their times are added",
    "benchmarks/README.md holds it against published MobileNet times: trust ratios on one model, "
    "not milliseconds",
)


def estimate(profiles: Mapping[str, Profile], emulated: str) -> dict[str, Any]:
    """Milliseconds by part, on each core model that would run the emulated core's code.

    Args:
        profiles: of each part.
        emulated: the core that was emulated.

    Raises:
        RuntimeMissingError: LLVM was not fetched.
        DeviceError: LLVM fails.
    """
    chosen = {part: enough(one.hot, one.instructions) for part, one in profiles.items()}
    unique = list(dict.fromkeys(block.words for blocks in chosen.values() for block in blocks))
    assembly = disassemble(unique)
    cores = {}
    for model in models_of(emulated):
        each = block_cycles(assembly, model.pipeline or model.name)
        cycles = dict(zip(unique, each, strict=True))
        parts = {part: _part(chosen[part], one, cycles, model) for part, one in profiles.items()}
        cores[model.name] = {
            "stands_for": model.stands_for,
            "ghz": model.ghz,
            "caches": [[cache.kib, cache.ways] for cache in model.caches],
            "copy_mb_s": model.copy_mb_s,
            "parts": parts,
        }
    return {"kind": KIND, "cores": cores, "assumes": list(ASSUMES)}


def enough(blocks: Sequence[Block], instructions: int) -> list[Block]:
    """The heaviest blocks that together are ENOUGH of the instructions, or all there are."""
    chosen: list[Block] = []
    covered = 0
    for block in blocks:
        if covered >= ENOUGH * instructions:
            break
        chosen.append(block)
        covered += block.instructions
    return chosen


def _part(
    blocks: Sequence[Block], profile: Profile, cycles: Mapping[str, float], model: CoreModel
) -> dict[str, float]:
    covered = sum(block.instructions for block in blocks) / profile.instructions
    core_cycles = sum(cycles[block.words] * block.executions for block in blocks) / covered
    core_ms = core_cycles / (model.ghz * 1e6)
    lines = profile.lines[model.name]
    memory_bytes = (lines.fetched + lines.written) * LINE_BYTES
    found = {"core_cycles": round(core_cycles), "core_ms": core_ms, "covered": covered}
    found["memory_bytes"] = memory_bytes
    memory_ms = 0.0
    if model.copy_mb_s is not None:
        memory_ms = memory_bytes / (BYTES_MOVED_PER_COPIED * model.copy_mb_s * 1e3)
        found["memory_ms"] = memory_ms
    return {**found, "ms": core_ms + memory_ms}
