"""Counts + hot blocks -> milliseconds on core models: an estimate, and labelled as one.

The core's time, from llvm-mca's model of its pipeline, and the memory's, from the bytes that
missed the last cache, one after the other. Nothing overlaps: the execution-cache-memory model
(Treibig and Hager 2009; Stengel et al. 2015) has transfers wait for a core's loads, and here they
wait for the rest as well. A roofline, the larger of the two, is the other bound; published times of
one core lie nearer to this one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from capexport.bench.devices.llvm import DIGITS_OF_A_WORD, block_cycles, disassemble

KIND = "model-estimate"
LINE_BYTES = 64
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
class CoreModel:
    """A core, and llvm-mca 19's model for it.

    Args:
        name: LLVM's of the core.
        stands_for: cores in phones that it is taken for.
        ghz: clock that is assumed.
        copy_mb_s: memcpy of one core in sbc-bench's published results (the board in brackets in
            README.md), None where none is known. A copy reads and writes, so reading is faster.
        emulated: the emulated core whose code it would run: runtimes choose by core.
        pipeline: LLVM's name of the core whose pipeline is taken; "" for its own.
    """

    name: str
    stands_for: str
    ghz: float
    copy_mb_s: int | None
    emulated: str = "cortex-a76"
    pipeline: str = ""


CORE_MODELS = (
    CoreModel("cortex-a53", "Cortex-A53", 1.4, 1514, "cortex-a53", "cortex-a55"),
    CoreModel("cortex-a57", "Cortex-A57, A72", 1.8, 2639, "cortex-a72"),
    CoreModel("cortex-a55", "Cortex-A55", 2.0, 2910),
    CoreModel("cortex-a510", "Cortex-A510", 1.8, 7712),
    CoreModel("neoverse-n1", "Cortex-A76", 2.4, 5583),
    CoreModel("neoverse-n2", "Cortex-A710", 2.5, None),
    CoreModel("neoverse-v1", "Cortex-X1", 2.84, 17604),
    CoreModel("neoverse-v2", "Cortex-X3", 3.2, None),
)
"""Other names borrow in silence: cortex-a76 and cortex-x1 run on the model of the A57, and so does
cortex-a72, which is its successor. LLVM has one of the A53, for a compiler's scheduling: nothing
writes its result before an earlier instruction has, and a float multiply-add takes 10 cycles, so
that llvm-mca has a load wait for all sums before it. A loop of 12 multiply-adds and some loads, as
XNNPACK has them for the A53, would take 45 cycles, 21 on the A55, which is built alike, with 4."""
ASSUMES = (
    "every load hits the first cache and every branch is foreseen in the core's part",
    "each block of code repeats back to back; blocks beside the modelled ones cost the same",
    "memory: bytes that miss 2 MiB of last cache, at the speed of one core's memcpy; no prefetch",
    "core and memory wait for each other: their times are added",
    "benchmarks/README.md holds it against published MobileNet times: trust ratios on one model, "
    "not milliseconds",
)


def estimate(
    hot: Mapping[str, Sequence[Block]], counts: Mapping[str, Mapping[str, int]], emulated: str
) -> dict[str, Any]:
    """Milliseconds by part, on each core model that would run the emulated core's code.

    Args:
        emulated: the core that was emulated.
        hot: blocks of each part, the heaviest first.
        counts: numbers of each part; `instructions` and `l3_misses` are used.

    Raises:
        RuntimeMissingError: LLVM was not fetched.
        DeviceError: LLVM fails.
    """
    chosen = {part: enough(blocks, counts[part]["instructions"]) for part, blocks in hot.items()}
    unique = list(dict.fromkeys(block.words for blocks in chosen.values() for block in blocks))
    assembly = disassemble(unique)
    cores = {}
    for model in (model for model in CORE_MODELS if model.emulated == emulated):
        each = block_cycles(assembly, model.pipeline or model.name)
        cycles = dict(zip(unique, each, strict=True))
        parts = {part: _part(chosen[part], counts[part], cycles, model) for part in chosen}
        cores[model.name] = {
            "stands_for": model.stands_for,
            "ghz": model.ghz,
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
    blocks: Sequence[Block],
    counts: Mapping[str, int],
    cycles: Mapping[str, float],
    model: CoreModel,
) -> dict[str, float]:
    covered = sum(block.instructions for block in blocks) / counts["instructions"]
    core_cycles = sum(cycles[block.words] * block.executions for block in blocks) / covered
    core_ms = core_cycles / (model.ghz * 1e6)
    found = {"core_cycles": round(core_cycles), "core_ms": core_ms, "covered": covered}
    memory_ms = 0.0
    if model.copy_mb_s is not None:
        memory_ms = counts["l3_misses"] * LINE_BYTES / (model.copy_mb_s * 1e3)
        found["memory_ms"] = memory_ms
    return {**found, "ms": core_ms + memory_ms}
