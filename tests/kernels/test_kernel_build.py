"""Building: the cache, the errors, and what the Arm libraries ask of the system they run on."""

import importlib
import importlib.util
import shutil
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from capexport.errors import InputError, RuntimeMissingError
from capexport.kernels import compiler
from capexport.kernels.products import CHECK, PRODUCTS, Product
from capexport.kernels.targets import TARGETS, Target

builder = importlib.import_module("capexport.kernels.build")
"""The module; the package has its function by the same name."""

ARM = ("aarch64-linux-gnu", "aarch64-linux-android")
CORES = {"cortex-a53": False, "cortex-a72": False, "cortex-a76": True, "max": True}
"""Cores of QEMU, and whether they have the dot product."""

LIBC = {"memset", "memcpy", "memcmp", "memmove", "getauxval"}
LIBM = {"fmaf", "lrintf"}
OF_LITERT = {"calloc", "free", "malloc", "posix_memalign", "strcmp", "sched_yield", "getpid"} | {
    "fclose", "fflush", "fopen", "fprintf", "fputc", "fputs", "fwrite", "snprintf", "vsnprintf",
    "dlclose", "dlerror", "dlopen", "dlsym",
}  # fmt: skip
"""What the ways into LiteRT need besides; no object of the C library, whose layout may differ."""
PAGE_16_KB = 0x4000

needs_zig = pytest.mark.skipif(
    not (importlib.util.find_spec("ziglang") or shutil.which("zig")),
    reason="no compiler for Arm: pip install ziglang",
)


@pytest.fixture(autouse=True)
def no_ndk(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in compiler.NDK_VARIABLES:
        monkeypatch.delenv(name, raising=False)


# ---- the cache and the errors ----


def test_an_unknown_target() -> None:
    with pytest.raises(InputError, match="'vax'") as caught:
        builder.build("vax")
    assert all(name in caught.value.hint for name in TARGETS)


def test_sources_that_change_while_they_are_compiled(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What was built of neither state is not kept under the name of one."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    flags = iter([("-DFIRST",), ("-DSECOND",), ("-DSECOND",), ("-DSECOND",)])
    key, compiled = builder._key, []

    def changing_key(target: Target, command: Sequence[str], product: Product) -> str:
        return key(target, command, replace(product, flags=next(flags)))

    def compile_into(target: Target, command: Sequence[str], product: Product, out: Path) -> None:
        compiled.append(out)
        out.write_text("")

    monkeypatch.setattr(builder, "_key", changing_key)
    monkeypatch.setattr(builder, "_build", compile_into)
    assert [builder.build()] == compiled[1:]
    assert not compiled[0].exists()


def test_a_program_for_android_needs_the_ndk() -> None:
    """A library gets by without: bionic loads it by the names of its functions."""
    with pytest.raises(RuntimeMissingError, match="needs Android's NDK") as caught:
        builder.build_product(CHECK, "aarch64-linux-android")
    assert "ANDROID_NDK" in caught.value.hint


def test_a_folder_that_is_no_ndk_is_not_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ANDROID_NDK_HOME", str(tmp_path))
    with pytest.raises(RuntimeMissingError, match="has no clang") as caught:
        builder.build("aarch64-linux-android")
    assert caught.value.where == str(tmp_path)


def without_compilers(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)


@pytest.mark.parametrize("target", TARGETS)
def test_without_a_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, target: str) -> None:
    without_compilers(monkeypatch, tmp_path)
    with pytest.raises(RuntimeMissingError, match=f"no C compiler for {target}") as caught:
        builder.build(target)
    assert "pip install ziglang" in caught.value.hint
    assert len(str(caught.value).splitlines()) == 3


def test_a_compiler_that_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("CC", "false")
    with pytest.raises(RuntimeMissingError, match="the C compiler failed"):
        builder.build()
    monkeypatch.setenv("CC", str(tmp_path / "absent"))
    with pytest.raises(RuntimeMissingError, match="the C compiler failed"):
        builder.build()
    assert not list(tmp_path.rglob("*.so"))


def test_a_cache_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setenv("CC", "true")
    with pytest.raises(InputError, match="cannot be written"):
        builder.build()


def test_the_first_build_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    runs: list[list[str]] = []

    def pretend(command: list[str], folder: Path) -> None:
        runs.append(command)
        if "-o" in command:
            (folder / command[command.index("-o") + 1]).write_text("library")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("CC", "cc")
    monkeypatch.setattr(builder, "run_compiler", pretend)
    first, built = builder.build(), len(runs)
    assert builder.build() == first
    assert len(runs) == built
    builder.build(force=True)
    assert len(runs) == 2 * built
    monkeypatch.setenv("CC", "another-cc")
    assert builder.build() != first
    assert not [path for path in first.parent.iterdir() if path != first]


def test_sources_compile_without_warnings(tmp_path: Path) -> None:
    try:
        command = compiler.find_compiler(TARGETS["host"])
    except RuntimeMissingError as error:
        pytest.skip(error.what)
    include = f"-I{builder.KERNELS / 'include'}"
    sources = map(str, builder.c_files("src", "check"))
    flags = [*builder.COMPILER_FLAGS, "-Werror", "-Wshadow", "-Wstrict-prototypes"]
    compiler.run_compiler([*command, *flags, include, "-c", *sources], tmp_path)


# ---- the Arm libraries ----


@dataclass(frozen=True)
class Elf:
    """What the dynamic loader reads of a 64-bit shared library."""

    machine: int
    load_alignments: tuple[int, ...]
    needed: tuple[str, ...]
    soname: str
    imported: frozenset[str]
    exported: frozenset[str]


AARCH64 = 183
PT_LOAD, SHT_DYNAMIC, SHT_DYNSYM = 1, 6, 11
DT_NEEDED, DT_SONAME = 1, 14


def read_elf(path: Path) -> Elf:
    data = path.read_bytes()
    assert data[:6] == b"\x7fELF\x02\x01"
    machine = struct.unpack_from("<H", data, 18)[0]
    at_segments, at_sections = struct.unpack_from("<QQ", data, 32)
    segments, _, sections = struct.unpack_from("<HHH", data, 56)
    headers = [
        struct.unpack_from("<IIQQQQIIQQ", data, at_sections + 64 * i) for i in range(sections)
    ]

    def table(kind: int, row: str) -> tuple[list[tuple[int, ...]], int]:
        """Rows of a section, and where its strings lie."""
        _, _, _, _, at, size, link, *_ = next(header for header in headers if header[1] == kind)
        return list(struct.iter_unpack(row, data[at : at + size])), headers[link][4]

    def text(at: int) -> str:
        return data[at : data.index(b"\0", at)].decode()

    loads = [struct.unpack_from("<IIQQQQQQ", data, at_segments + 56 * i) for i in range(segments)]
    dynamic, strings = table(SHT_DYNAMIC, "<QQ")
    symbols, names = table(SHT_DYNSYM, "<IBBHQQ")
    named = [(text(names + name), section) for name, _, _, section, _, _ in symbols if name]
    return Elf(
        machine,
        tuple(load[7] for load in loads if load[0] == PT_LOAD),
        tuple(text(strings + value) for tag, value in dynamic if tag == DT_NEEDED),
        next(text(strings + value) for tag, value in dynamic if tag == DT_SONAME),
        frozenset(name for name, section in named if section == 0),
        frozenset(name for name, section in named if section != 0),
    )


@needs_zig
@pytest.mark.parametrize("target", ARM)
def test_an_arm_library_needs_the_c_library_only(target: str) -> None:
    path = builder.build(target)
    elf = read_elf(path)
    assert elf.machine == AARCH64
    assert elf.soname == path.name
    assert elf.imported <= LIBC | LIBM
    assert all(name.startswith("ck_") for name in elf.exported)
    assert "ck_run" in elf.exported
    expected = "libc.so" if "android" in target else "libc.so.6"
    assert expected in elf.needed
    assert set(elf.needed) <= {expected, "libm.so.6"}


@needs_zig
@pytest.mark.parametrize("target", ARM)
def test_an_arm_library_for_litert_needs_few_functions(target: str) -> None:
    elf = read_elf(builder.build(target, product="litert"))
    others = elf.imported - LIBC - LIBM - OF_LITERT
    assert all(name.startswith("pthread_") for name in others)
    assert all(name.startswith(("tflite_plugin_", "capexport_litert_")) for name in elf.exported)
    assert {"tflite_plugin_create_delegate", "capexport_litert_open"} <= elf.exported
    android = {"libc.so", "libdl.so"}
    gnu = {"libc.so.6", "libdl.so.2", "libpthread.so.0"}
    assert set(elf.needed) == (android if "android" in target else gnu)


@needs_zig
@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("target", ARM)
def test_an_arm_library_loads_on_16_kb_pages(target: str, product: str) -> None:
    alignments = read_elf(builder.build(target, product=product)).load_alignments
    assert alignments
    assert all(alignment % PAGE_16_KB == 0 for alignment in alignments)


@needs_zig
@pytest.mark.skipif(not shutil.which("qemu-aarch64"), reason="no QEMU: apt install qemu-user")
@pytest.mark.parametrize("core", CORES)
def test_arm_kernels_are_exact(core: str) -> None:
    command = ["qemu-aarch64", "-cpu", core, str(builder.build_check())]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    lines = dict(line.split(" ", 1) for line in result.stdout.splitlines())
    assert result.returncode == 0, result.stdout
    assert {"csr_portable", "well32_neon", "well64_neon", "spmm_neon"} < set(lines)
    for name, outcome in lines.items():
        if name.endswith("_dotprod") and not CORES[core]:
            assert outcome == "not supported"
        else:
            assert outcome.endswith("products exact")
