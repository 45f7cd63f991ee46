"""A shared library for Android -> what its loader would refuse, without the NDK."""

import struct
from dataclasses import dataclass
from pathlib import Path

MACHINES = {"arm64-v8a": 183, "x86_64": 62}
"""e_machine by ABI."""
OF_ANDROID = {"libc.so", "libm.so", "libdl.so", "liblog.so"}
NOT_IN_BIONIC = {"__errno_location", "__stack_chk_guard_local", "bcmp", "gnu_get_libc_version"}
PAGE_16_KB = 0x4000

PT_LOAD, PT_TLS, PT_GNU_STACK, PF_X = 1, 7, 0x6474E551, 1
SHT_DYNAMIC, SHT_DYNSYM, SHT_GNU_VERNEED = 6, 11, 0x6FFFFFFE
DT_NEEDED, DT_TEXTREL, DT_FLAGS, DF_TEXTREL = 1, 22, 30, 4


@dataclass(frozen=True)
class Library:
    """What a dynamic loader reads of a 64-bit little-endian ELF file.

    Args:
        machine: e_machine.
        load_alignments: of the segments that are mapped.
        has_tls, has_executable_stack, has_text_relocations, has_versions: what old or foreign
            libraries have; `has_versions` are symbol versions that it asks others for.
        needed: names of other libraries.
        imported: symbols that others must have.
    """

    machine: int
    load_alignments: tuple[int, ...]
    has_tls: bool
    has_executable_stack: bool
    has_text_relocations: bool
    has_versions: bool
    needed: tuple[str, ...]
    imported: frozenset[str]


def faults(path: Path, abi: str) -> list[str]:
    """Why Android on `abi` would not load the library, one sentence each; hopefully none."""
    library = read_library(path.read_bytes())
    found = []
    if library.machine != MACHINES[abi]:
        found.append(f"it is for the machine {library.machine}, not {abi}")
    if any(alignment % PAGE_16_KB for alignment in library.load_alignments):
        found.append("a segment is not aligned for pages of 16 KB")
    if others := sorted(set(library.needed) - OF_ANDROID):
        found.append(f"it needs {', '.join(others)}")
    if strange := sorted(name for name in library.imported if _is_foreign(name)):
        found.append(f"it needs {', '.join(strange)}, which bionic has not")
    for has_it, what in (
        (library.has_tls, "it has thread-local storage"),
        (library.has_executable_stack, "its stack is executable"),
        (library.has_text_relocations, "it has text relocations"),
        (library.has_versions, "it asks for symbol versions"),
    ):
        if has_it:
            found.append(what)
    return found


def _is_foreign(symbol: str) -> bool:
    return symbol in NOT_IN_BIONIC or symbol.startswith(("__isoc", "__libc_", "__GI_"))


def read_library(data: bytes) -> Library:
    """What the loader reads; ValueError or struct.error where it is no such ELF file."""
    if data[:6] != b"\x7fELF\x02\x01":
        raise ValueError("no 64-bit little-endian ELF file")
    machine = struct.unpack_from("<H", data, 18)[0]
    at_segments, at_sections = struct.unpack_from("<QQ", data, 32)
    segment_count, _, section_count = struct.unpack_from("<HHH", data, 56)
    segments = [
        struct.unpack_from("<IIQQQQQQ", data, at_segments + 56 * i) for i in range(segment_count)
    ]
    sections = [
        struct.unpack_from("<IIQQQQIIQQ", data, at_sections + 64 * i) for i in range(section_count)
    ]
    dynamic, texts = _table(data, sections, SHT_DYNAMIC, "<QQ")
    symbols, names = _table(data, sections, SHT_DYNSYM, "<IBBHQQ")
    flags = [value for tag, value in dynamic if tag == DT_FLAGS]
    return Library(
        machine,
        tuple(segment[7] for segment in segments if segment[0] == PT_LOAD),
        any(segment[0] == PT_TLS for segment in segments),
        any(segment[0] == PT_GNU_STACK and segment[1] & PF_X for segment in segments),
        any(tag == DT_TEXTREL for tag, _ in dynamic) or any(f & DF_TEXTREL for f in flags),
        any(section[1] == SHT_GNU_VERNEED for section in sections),
        tuple(_text(data, texts + value) for tag, value in dynamic if tag == DT_NEEDED),
        frozenset(_text(data, names + row[0]) for row in symbols if row[0] and row[3] == 0),
    )


def _table(
    data: bytes, sections: list[tuple[int, ...]], kind: int, row: str
) -> tuple[list[tuple[int, ...]], int]:
    """Rows of a section, and where its strings lie."""
    for section in sections:
        if section[1] == kind:
            at, size, link = section[4], section[5], section[6]
            return list(struct.iter_unpack(row, data[at : at + size])), sections[link][4]
    return [], 0


def _text(data: bytes, at: int) -> str:
    return data[at : data.index(b"\0", at)].decode()
