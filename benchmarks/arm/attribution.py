"""Address of an instruction in the guest -> the file it comes from, and its function if known."""

import bisect
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PT_LOAD, SHT_SYMTAB, STT_FUNC = 1, 2, 2
EXECUTABLE = "x"


@dataclass(frozen=True)
class Mapping:
    """A part of a file in memory."""

    start: int
    end: int
    offset: int
    file: str


def read_maps(text: str) -> list[Mapping]:
    """The executable parts of files in a /proc/self/maps, by address."""
    mappings = []
    for line in text.splitlines():
        where, access, offset, _, _, *file = line.split(maxsplit=5)
        start, end = (int(address, 16) for address in where.split("-"))
        if file and EXECUTABLE in access:
            mappings.append(Mapping(start, end, int(offset, 16), file[0]))
    return sorted(mappings, key=lambda mapping: mapping.start)


class Functions:
    """The functions of an ELF file by their place in the file, from its symbol table."""

    def __init__(self, data: bytes) -> None:
        found = sorted(_functions(data))
        self._starts = [start for start, _, _ in found]
        self._found = found

    def at(self, offset: int) -> str | None:
        """Name of the function that holds this byte of the file."""
        index = bisect.bisect(self._starts, offset) - 1
        if index < 0:
            return None
        start, size, name = self._found[index]
        return name if offset < start + size else None


def _functions(data: bytes) -> Iterable[tuple[int, int, str]]:
    """Offset, size and name of each."""
    phoff, shoff = struct.unpack_from("<QQ", data, 32)
    phentsize, phnum, shentsize, shnum = struct.unpack_from("<HHHH", data, 54)
    loads = []
    for i in range(phnum):
        kind, _, offset, address, _, size = struct.unpack_from(
            "<IIQQQQ", data, phoff + i * phentsize
        )
        if kind == PT_LOAD:
            loads.append((address, size, offset))
    sections = [
        struct.unpack_from("<IIQQQQIIQQ", data, shoff + i * shentsize) for i in range(shnum)
    ]
    for section in sections:
        if section[1] != SHT_SYMTAB:
            continue
        start, size = section[4:6]
        strings = sections[section[6]][4]
        for name, info, _, _, value, length in struct.iter_unpack(
            "<IBBHQQ", data[start : start + size]
        ):
            if info & 15 == STT_FUNC and length:
                at = strings + name
                label = data[at : data.index(b"\0", at)].decode()
                yield _offset(loads, value), length, label


def _offset(loads: list[tuple[int, int, int]], address: int) -> int:
    for start, size, offset in loads:
        if start <= address < start + size:
            return address - start + offset
    raise ValueError(f"no segment holds {address:#x}")


class Attribution:
    """Where each address of one guest belongs.

    Args:
        maps: its /proc/self/maps.
        named: files whose functions are told apart.
    """

    def __init__(self, maps: str, named: Iterable[Path]) -> None:
        self._mappings = read_maps(maps)
        self._starts = [mapping.start for mapping in self._mappings]
        self._functions = {str(path): Functions(path.read_bytes()) for path in named}

    def place(self, address: int) -> tuple[str, str | None]:
        """Name of the file, and of the function if that file is named; "" for no file."""
        index = bisect.bisect(self._starts, address) - 1
        if index < 0 or address >= self._mappings[index].end:
            return "", None
        mapping = self._mappings[index]
        functions = self._functions.get(mapping.file)
        name = functions.at(address - mapping.start + mapping.offset) if functions else None
        return Path(mapping.file).name, name
