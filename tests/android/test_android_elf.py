"""What Android's loader would refuse, found without it: in our libraries nothing."""

import struct
from dataclasses import replace
from pathlib import Path

import pytest

from capexport.android import elf
from capexport.android.minimal_apk import ABIS
from capexport.kernels.build import build

EXPORTED = b"Java_org_capexport_core_NativeGraph_open"


@pytest.fixture(scope="module", params=sorted(ABIS))
def abi(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def library(abi: str) -> Path:
    return build(ABIS[abi], product="captioner")


def test_our_library_would_load(abi: str, library: Path) -> None:
    assert elf.faults(library, abi) == []
    found = elf.read_library(library.read_bytes())
    assert set(found.needed) == {"libc.so", "libdl.so"}
    assert min(found.load_alignments) >= elf.PAGE_16_KB
    assert EXPORTED in library.read_bytes()


def test_a_library_of_the_host_would_not() -> None:
    found = " ".join(elf.faults(build(product="captioner"), "arm64-v8a"))
    for reason in ("machine", "libc.so.6", "symbol versions", "not aligned"):
        assert reason in found


def changed(data: bytes, segment: int, kind: int | None = None, flags: int = 0) -> bytes:
    """The file with another type or more flags of its first segment of a type."""
    at, count = struct.unpack_from("<Q", data, 32)[0], struct.unpack_from("<H", data, 56)[0]
    for header in range(at, at + 56 * count, 56):
        old, old_flags = struct.unpack_from("<II", data, header)
        if old == segment:
            new = struct.pack("<II", old if kind is None else kind, old_flags | flags)
            return data[:header] + new + data[header + 8 :]
    raise AssertionError(f"no segment {segment}")


def test_each_fault_is_found(abi: str, library: Path, tmp_path: Path) -> None:
    data = library.read_bytes()
    damaged = {
        "its stack is executable": changed(data, elf.PT_GNU_STACK, flags=elf.PF_X),
        "it has thread-local storage": changed(data, elf.PT_GNU_STACK, kind=elf.PT_TLS),
        "it needs libz.so": data.replace(b"\0libdl.so\0", b"\0libz.so\0\0"),
    }
    for fault, contents in damaged.items():
        (tmp_path / "library.so").write_bytes(contents)
        assert elf.faults(tmp_path / "library.so", abi) == [fault]


def test_text_relocations_and_foreign_symbols_are_found(
    abi: str, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = elf.read_library(library.read_bytes())
    unsound = replace(
        sound, has_text_relocations=True, imported=sound.imported | {"__isoc99_sscanf"}
    )
    monkeypatch.setattr(elf, "read_library", lambda _: unsound)
    symbols, relocations = elf.faults(library, abi)
    assert "__isoc99_sscanf" in symbols
    assert "text relocations" in relocations


def test_what_is_no_library_is_refused() -> None:
    with pytest.raises(ValueError, match="no 64-bit"):
        elf.read_library(b"\x7fELF\x01\x01" + bytes(100))
