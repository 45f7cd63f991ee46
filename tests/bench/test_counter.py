"""The parts of the emulator's plugin that need no emulator: classes of words, and caches."""

import ctypes
from collections import OrderedDict
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from capexport.bench.devices.arm_cores import CORES, Core
from capexport.bench.devices.core_models import hierarchies, models_of
from capexport.bench.devices.qemu import COUNTER
from capexport.kernels.compiler import find_compiler, run_compiler
from capexport.kernels.targets import TARGETS

SOURCES = Path(COUNTER.folders[0])
CLASSES = (
    *("int_alu", "int_mul_div", "branch", "load", "store", "simd_load", "simd_store"),
    *("sdot", "smmla", "fma", "simd_int_mul", "simd_other", "system"),
)
HIERARCHIES = {
    "two": ((32, 2), (512, 16)),
    "three": ((64, 4), (512, 8), (2048, 16)),
    "alike": ((64, 4), (512, 8), (600, 12)),
    "its_beginning": ((64, 4), (512, 8)),
}
"""KiB and ways of each level; some share their first levels."""


class Passed(ctypes.Structure):
    """passed_lines of caches.h."""

    _fields_ = tuple((name, ctypes.c_uint64) for name in ("misses", "fetched", "written"))


class Hierarchy(ctypes.Structure):
    """hierarchy of caches.h."""

    _fields_ = (
        ("name", ctypes.c_char * 32),
        ("levels", ctypes.c_int),
        ("passed", ctypes.POINTER(Passed) * 3),
    )


class Traffic(ctypes.Structure):
    """traffic of caches.h."""

    _fields_ = tuple(
        (name, ctypes.c_uint64) for name in ("loads", "stores", "load_bytes", "store_bytes")
    )


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    folder = tmp_path_factory.mktemp("counter")
    sources = [str(SOURCES / name) for name in ("classes.c", "caches.c")]
    flags = ["-std=c11", "-O1", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror"]
    run_compiler([*find_compiler(TARGETS["host"]), *flags, *sources, "-o", "c.so"], folder)
    library = ctypes.CDLL(str(folder / "c.so"))
    library.get_hierarchy.restype = ctypes.POINTER(Hierarchy)
    library.get_traffic.restype = ctypes.POINTER(Traffic)
    library.add_hierarchy.restype = ctypes.c_bool
    for name, levels in HIERARCHIES.items():
        sizes = ":".join(f"{kib}:{ways}" for kib, ways in levels)
        assert library.add_hierarchy(f"{name}:{sizes}".encode())
    return library


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
    """One hierarchy by its definition: in each set, lines in the order of their last use.

    A line's value says whether a store changed it since it came.
    """

    def __init__(self, levels: tuple[tuple[int, int], ...]) -> None:
        self._ways = [ways for _, ways in levels]
        self._sets = [
            [OrderedDict[int, bool]() for _ in range(kib * 16 // ways)] for kib, ways in levels
        ]
        self.misses, self.fetched, self.written = ([0] * len(levels) for _ in range(3))

    def access(self, address: int, size: int, is_store: bool) -> None:
        for line in range(address // 64, (address + size - 1) // 64 + 1):
            for level in range(len(self._sets)):
                if self._hits(level, line, is_store):
                    break
                self.misses[level] += 1
                self.fetched[level] += not is_store

    def _hits(self, level: int, line: int, is_store: bool) -> bool:
        lines = self._lines(level, line)
        was_there = line in lines
        if not was_there and len(lines) == self._ways[level]:
            oldest, is_changed = lines.popitem(last=False)
            if is_changed:
                self._write(level, oldest)
        is_changed = lines.pop(line, False)
        lines[line] = is_changed or (is_store and level == 0)
        return was_there

    def _write(self, level: int, line: int) -> None:
        """From a level to the next one that has the line, or to memory."""
        for start in range(level, len(self._sets)):
            self.written[start] += 1
            if start + 1 < len(self._sets) and line in (farther := self._lines(start + 1, line)):
                farther[line] = True
                return

    def _lines(self, level: int, line: int) -> "OrderedDict[int, bool]":
        return self._sets[level][line % len(self._sets[level])]


@cache
def addresses(kib: int) -> list[int]:
    """Some neighbours, some far apart: what fits a cache of that size, and what does not."""
    rng = np.random.default_rng(kib)
    walks = [np.arange(0, kib * 1024, 56), rng.integers(0, kib * 2048, 8_000)]
    found: list[int] = np.concatenate([walks[0], walks[1], walks[0]]).tolist()
    return found


def test_lines_passed_are_those_of_the_definition(counter: ctypes.CDLL) -> None:
    """In one go: what the caches hold stays from one size to the next, as do their counts not."""
    expected = {name: Lru(levels) for name, levels in HIERARCHIES.items()}
    for kib in (1, 64, 600, 2500):
        counter.forget_traffic()
        for one in expected.values():
            one.misses, one.fetched, one.written = ([0] * len(one.misses) for _ in range(3))
        for i, address in enumerate(addresses(kib)):
            size, is_store = (1, 4, 16)[i % 3], i % 4 == 0
            counter.access_caches(ctypes.c_uint64(address), ctypes.c_uint64(size), is_store)
            for one in expected.values():
                one.access(address, size, is_store)
        assert counter.count_hierarchies() == len(expected)
        for i, (name, one) in enumerate(expected.items()):
            got = counter.get_hierarchy(i).contents
            assert got.name.decode() == name
            passed = [got.passed[level].contents for level in range(got.levels)]
            assert [p.misses for p in passed] == one.misses, (name, kib)
            assert [p.fetched for p in passed] == one.fetched, (name, kib)
            assert [p.written for p in passed] == one.written, (name, kib)
        traffic = counter.get_traffic().contents
        assert traffic.loads + traffic.stores == len(addresses(kib))
        sizes = [(1, 4, 16)[i % 3] for i in range(len(addresses(kib)))]
        assert traffic.load_bytes + traffic.store_bytes == sum(sizes)


@pytest.mark.parametrize(
    "text", ["", "a", "a:", ":64:4", "a:64", "a:64:0", "a:0:4", "a:64:4:x", "a:1:1:2:2:4:4:8:8"]
)
def test_what_are_no_caches_is_refused(counter: ctypes.CDLL, text: str) -> None:
    assert not counter.add_hierarchy(text.encode())
    assert counter.count_hierarchies() == len(HIERARCHIES)


@pytest.mark.parametrize("core", CORES.values(), ids=CORES)
def test_each_core_has_caches_and_its_own_come_first(counter: ctypes.CDLL, core: Core) -> None:
    first, *_ = texts = hierarchies(core)
    assert first.partition(":")[0] == core.model
    assert {text.partition(":")[0] for text in texts} == {m.name for m in models_of(core.name)}
