"""The parts of benchmarks/arm that need no emulator: what it reads and what it makes of it."""

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.arm.attribution import Attribution, Functions, read_maps
from benchmarks.arm.emulator import per_run, read_regions
from benchmarks.arm.guest import FEW, MANY
from capexport.bench.devices.arm_cores import CORES
from capexport.errors import RuntimeMissingError
from capexport.kernels.build import build

MAPS = """\
400000-402000 r-xp 00000000 fe:00 25 /usr/bin/python3.11
402000-403000 rw-p 00002000 fe:00 25 /usr/bin/python3.11
7000-8000 r-xp 00003000 fe:00 26 /lib/a b.so
9000-a000 r-xp 00000000 00:00 0
"""


def test_regions_are_read_apart() -> None:
    text = "region\nff 3 2\nregion\n10 1 5\nff 3 1\n10 2 1\n"
    assert list(read_regions(text)) == [{0xFF: 6}, {0x10: 7, 0xFF: 3}]


def test_one_run_is_what_the_many_add_to_the_few() -> None:
    runs = MANY - FEW
    few = Counter({1: 5, 2: 7, 3: 4})
    usual = Counter({1: 5 + 2 * runs, 2: 7, 4: runs})
    unusual = Counter({1: 5 + 900 * runs})
    expected = {1: 2.0, 3: -4 / runs, 4: 1.0}
    assert per_run([few, unusual, few, usual, few, usual]) == expected


def test_an_address_belongs_to_the_file_mapped_there() -> None:
    attribution = Attribution(MAPS, [])
    assert attribution.place(0x400010) == ("python3.11", None)
    assert attribution.place(0x7FFF) == ("a b.so", None)
    for nowhere in (0, 0x8000, 0x9000, 0x402000, 1 << 40):
        assert attribution.place(nowhere) == ("", None)


def test_only_executable_parts_of_files_are_kept() -> None:
    assert [(m.start, m.offset) for m in read_maps(MAPS)] == [(0x7000, 0x3000), (0x400000, 0)]


def arm_library() -> Path:
    try:
        return build("aarch64-linux-gnu", product="litert")
    except RuntimeMissingError as error:
        pytest.skip(error.what)


def test_functions_of_an_arm_library_are_named() -> None:
    library = arm_library()
    functions = Functions(library.read_bytes())
    size = library.stat().st_size
    found = {functions.at(offset) for offset in range(0, size, 4)}
    assert {"ck_finish_ROWS_neon", "ck_quantize_row_neon", "sums1", None} <= found
    assert functions.at(0) is None


def test_a_core_shows_the_dot_product_where_it_has_it() -> None:
    shown = {name: "asimddp" in core.cpuinfo().split() for name, core in CORES.items()}
    with_it = {name for name, has_it in shown.items() if has_it}
    assert shown.keys() == {"cortex-a53", "cortex-a55", "cortex-a72", "cortex-a76"}
    assert with_it == {"cortex-a55", "cortex-a76"}
