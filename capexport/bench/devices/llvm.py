"""Instruction words -> cycles on a core, by llvm-mca's model of it."""

import json
from collections.abc import Sequence
from itertools import accumulate, pairwise

from capexport.bench.devices.parts import LLVM, ROOT, own_program
from capexport.bench.devices.processes import run_command
from capexport.errors import DeviceError

FEATURES = "-mattr=+v8.6a,+dotprod,+i8mm,+fullfp16,+bf16,+sve,+sve2"
ITERATIONS = 100
TIMEOUT_S = 600.0
DIGITS_OF_A_WORD = 8


def disassemble(blocks: Sequence[str]) -> list[list[str]]:
    """Assembly of each block, one line a word; a block is its words as hexadecimal digits.

    Raises:
        RuntimeMissingError: LLVM was not fetched.
        DeviceError: it does not know a word.
    """
    words = [_words(block) for block in blocks]
    # Bytes in the order of memory, which is that of little-endian words.
    text = "\n".join(
        " ".join(f"0x{word[i : i + 2]}" for i in (6, 4, 2, 0)) for block in words for word in block
    )
    shown = _llvm("llvm-mc-19", ["--disassemble", "-triple=aarch64", FEATURES], text)
    lines = [line.strip() for line in shown.splitlines()]
    lines = [line for line in lines if line and not line.startswith(".")]
    ends = list(accumulate((len(block) for block in words), initial=0))
    if len(lines) != ends[-1]:
        raise DeviceError(
            f"llvm-mc decoded {len(lines)} of {ends[-1]} words",
            where="llvm-mc-19",
            hint="run the bench without an estimate",
        )
    return [lines[start:end] for start, end in pairwise(ends)]


def block_cycles(blocks: Sequence[Sequence[str]], core: str) -> list[float]:
    """Cycles of one execution of each block of assembly, repeated back to back, on `core`.

    All loads hit the first cache and all branches are foreseen. `core` must have a model of its
    own: others silently get that of an older core (core_models.CORE_MODELS).
    """
    source = []
    for number, block in enumerate(blocks):
        source += [f"# LLVM-MCA-BEGIN {number}", *block, "# LLVM-MCA-END"]
    arguments = [
        "-mtriple=aarch64",
        f"-mcpu={core}",
        FEATURES,
        f"-iterations={ITERATIONS}",
        "-json",
    ]
    # Some instructions have no entry in a model: without them rather than not at all.
    arguments.append("-skip-unsupported-instructions=lack-sched")
    document = json.loads(_llvm("llvm-mca-19", arguments, "\n".join(source)))
    cycles = [0.0] * len(blocks)
    for region in document["CodeRegions"]:
        cycles[int(region["Name"])] = region["SummaryView"]["TotalCycles"] / ITERATIONS
    return cycles


def _words(block: str) -> list[str]:
    return [block[i : i + DIGITS_OF_A_WORD] for i in range(0, len(block), DIGITS_OF_A_WORD)]


def _llvm(program: str, arguments: Sequence[str], text: str) -> str:
    command = [*own_program(LLVM.needed() / ROOT, f"usr/bin/{program}"), *arguments]
    done = run_command(command, timeout_s=TIMEOUT_S, where=program, given=text)
    if done.status != 0:
        lines = [line for line in done.err.splitlines() if "error" in line] or ["no reason given"]
        raise DeviceError(
            f"{program} failed: {lines[0]}", where=program, hint="run the bench without an estimate"
        )
    return done.out
