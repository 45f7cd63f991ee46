"""The parts of the emulator's plugin that need no emulator: classes of words, and caches."""

import ctypes
from collections import OrderedDict
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from capexport.bench.devices.qemu import COUNTER
from capexport.kernels.compiler import find_compiler, run_compiler
from capexport.kernels.targets import TARGETS

SOURCES = Path(COUNTER.folders[0])
CLASSES = (
    *("int_alu", "int_mul_div", "branch", "load", "store", "simd_load", "simd_store"),
    *("sdot", "smmla", "fma", "simd_int_mul", "simd_other", "system"),
)
LEVELS = ((64, 4), (512, 8), (2048, 16))
"""KiB and ways."""


class Traffic(ctypes.Structure):
    """traffic of caches.h."""

    _fields_ = (
        *((name, ctypes.c_uint64) for name in ("loads", "stores", "load_bytes", "store_bytes")),
        ("misses", ctypes.c_uint64 * 3),
    )


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    folder = tmp_path_factory.mktemp("counter")
    sources = [str(SOURCES / name) for name in ("classes.c", "caches.c")]
    flags = ["-std=c11", "-O1", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror"]
    run_compiler([*find_compiler(TARGETS["host"]), *flags, *sources, "-o", "c.so"], folder)
    return ctypes.CDLL(str(folder / "c.so"))


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        (0x8B020020, "int_alu"),  # add x0, x1, x2
        (0x91000420, "int_alu"),  # add x0, x1, #1
        (0x9AC22020, "int_alu"),  # lsl x0, x1, x2
        (0x9B027C20, "int_mul_div"),  # mul x0, x1, x2
        (0x9AC20C20, "int_mul_div"),  # sdiv x0, x1, x2
        (0x14000001, "branch"),  # b
        (0xB4000040, "branch"),  # cbz x0
        (0xD65F03C0, "branch"),  # ret
        (0xF9400020, "load"),  # ldr x0, [x1]
        (0x39C00020, "load"),  # ldrsb w0, [x1]
        (0xA94007E0, "load"),  # ldp x0, x1, [sp]
        (0x58000040, "load"),  # ldr x0, literal
        (0xF9000020, "store"),  # str x0, [x1]
        (0xA90007E0, "store"),  # stp x0, x1, [sp]
        (0x3DC00020, "simd_load"),  # ldr q0, [x1]
        (0x4C407000, "simd_load"),  # ld1 {v0.16b}, [x0]
        (0x3D800020, "simd_store"),  # str q0, [x1]
        (0xAD0007E0, "simd_store"),  # stp q0, q1, [sp]
        (0x4E829420, "sdot"),  # sdot v0.4s, v1.16b, v2.16b
        (0x4F82E020, "sdot"),  # sdot v0.4s, v1.16b, v2.4b[0]
        (0x4E82A420, "smmla"),  # smmla v0.4s, v1.16b, v2.16b
        (0x4E22CC20, "fma"),  # fmla v0.4s, v1.4s, v2.4s
        (0x4F821020, "fma"),  # fmla v0.4s, v1.4s, v2.s[0]
        (0x1F020C20, "fma"),  # fmadd s0, s1, s2, s3
        (0x0E22C020, "simd_int_mul"),  # smull v0.8h, v1.8b, v2.8b
        (0x0E628020, "simd_int_mul"),  # smlal v0.4s, v1.4h, v2.4h
        (0x4E020020, "simd_other"),  # tbl v0.16b, {v1.16b}, v2.16b
        (0x4EA28420, "simd_other"),  # add v0.4s, v1.4s, v2.4s
        (0xD503201F, "system"),  # nop
        (0xD4000001, "system"),  # svc #0
    ],
)
def test_words_are_classed(counter: ctypes.CDLL, word: int, kind: str) -> None:
    names = (ctypes.c_char_p * len(CLASSES)).in_dll(counter, "CLASS_NAMES")
    assert [name.decode() for name in names if name] == list(CLASSES)
    assert CLASSES[counter.classify(ctypes.c_uint32(word))] == kind


class Lru:
    """Caches by their definition: in each set, lines in the order of their last use."""

    def __init__(self) -> None:
        self._levels = [[OrderedDict[int, None]() for _ in range(k * 16 // w)] for k, w in LEVELS]
        self.misses = [0, 0, 0]

    def access(self, address: int, size: int) -> None:
        for line in range(address // 64, (address + size - 1) // 64 + 1):
            for number, (sets, (_, ways)) in enumerate(zip(self._levels, LEVELS, strict=True)):
                if self._hits(sets[line % len(sets)], line, ways):
                    break
                self.misses[number] += 1

    @staticmethod
    def _hits(lines: "OrderedDict[int, None]", line: int, ways: int) -> bool:
        found = line in lines
        lines.pop(line, None)
        lines[line] = None
        if len(lines) > ways:
            lines.popitem(last=False)
        return found


@cache
def addresses(kib: int) -> list[int]:
    """Some neighbours, some far apart: what fits a cache of that size, and what does not."""
    rng = np.random.default_rng(kib)
    walks = [np.arange(0, kib * 1024, 24), rng.integers(0, kib * 2048, 20_000)]
    found: list[int] = np.concatenate([walks[0], walks[1], walks[0]]).tolist()
    return found


@pytest.mark.parametrize("kib", [1, 64, 600, 2500])
def test_misses_are_those_of_the_definition(counter: ctypes.CDLL, kib: int) -> None:
    counter.open_caches()
    expected, sum_of = Lru(), Traffic()
    for i, address in enumerate(addresses(kib)):
        size = (1, 4, 16)[i % 3]
        counter.access_caches(
            ctypes.c_uint64(address), ctypes.c_uint64(size), i % 4 == 0, ctypes.byref(sum_of)
        )
        expected.access(address, size)
    assert list(sum_of.misses) == expected.misses
    assert sum_of.loads + sum_of.stores == len(addresses(kib))
    assert sum_of.load_bytes + sum_of.store_bytes == sum(
        (1, 4, 16)[i % 3] for i in range(len(addresses(kib)))
    )
