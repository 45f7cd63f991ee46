"""Memory in a whole emulated machine; skipped, and says why, where parts were not fetched."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capexport.bench import Settings, bench
from capexport.bench.devices import open_device, qemu_system
from capexport.bench.devices.initramfs import FOLDER, LAST, PROGRAM, Entry, write_archive
from capexport.bench.devices.parts import ARM64_MACHINE, ARM64_ROOT, ARM64_RUNTIMES
from capexport.bench.measurement import RUNNER
from capexport.bundle import Bundle
from capexport.errors import DeviceError, InputError, RuntimeMissingError
from capexport.kernels.build import build_product

DEVICE = "qemu-system:cortex-a53"
TARGET = "aarch64-linux-gnu"
HEADER = 110
SIZE, LENGTH_OF_NAME = slice(54, 62), slice(94, 102)
"""Where linux/init/initramfs.c finds them: six digits of magic, then fields of eight."""
LEAST_KIB = 6000
"""A process that has opened LiteRT has touched its library, of six million bytes, and more."""


@pytest.fixture
def _machine() -> None:
    try:
        ARM64_MACHINE.needed()
        ARM64_ROOT.needed()
        ARM64_RUNTIMES["litert"].needed()
        build_product(RUNNER, TARGET)
    except RuntimeMissingError as error:
        pytest.skip(f"{error.what}: {error.hint}")


@pytest.mark.usefixtures("_machine")
def test_its_kernel_tells_the_memory_and_nobody_the_time(up_down: Bundle) -> None:
    document = bench(up_down, DEVICE, Settings("litert", beam=2, rounds=1)).document()
    assert document["output"]["as_expected"]
    assert document["kind"] == "emulated-counts"
    assert not document.keys() & {"latency_ms", "summary_ms", "rounds", "counts", "estimate"}
    memory = document["memory"]
    assert memory["rss_start_kib"] < LEAST_KIB < memory["rss_encoder_opened_kib"]
    assert memory["rss_end_kib"] <= memory["peak_rss_kib"] < document["device"]["memory_kib"]
    assert 0 < memory["pss_kib"] <= memory["peak_rss_kib"]
    files = document["footprint_bytes"]
    assert files["mapped"] >= files["encoder"] + files["decoder_step"]


@pytest.mark.usefixtures("_machine")
def test_a_program_that_fails_says_so() -> None:
    with open_device(DEVICE) as target:
        target.push({RUNNER.file: build_product(RUNNER, TARGET)})
        outcome = target.run(RUNNER.file, ["no 'such file"], 60)
    assert (outcome.status, outcome.out) == (1, "")
    assert "no 'such file" in outcome.err


@pytest.mark.usefixtures("_machine")
def test_files_that_are_too_large_are_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qemu_system, "MEMORY_MIB", 128)
    (tmp_path / "large").write_bytes(bytes(50 << 20))
    with open_device(DEVICE) as target:
        target.push({"large": tmp_path / "large"})
        with pytest.raises(DeviceError, match="MiB are too large for it") as caught:
            target.run("large", [], 60)
    assert caught.value.where == DEVICE
    assert "128 MiB" in caught.value.hint


@pytest.mark.usefixtures("_machine")
def test_a_machine_that_breaks_down_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qemu_system, "INIT", "#!/bin/busybox sh\nexit 3\n")
    with (
        open_device(DEVICE) as target,
        pytest.raises(DeviceError, match=r"to its end.*Kernel panic"),
    ):
        target.run("nothing", [], 60)


@pytest.mark.usefixtures("_machine")
def test_what_it_cannot_do_is_refused(up_down: Bundle) -> None:
    with pytest.raises(InputError, match="no core 'z80' to emulate"):
        open_device("qemu-system:z80")
    with pytest.raises(InputError, match="an emulated machine has one core"):
        bench(up_down, DEVICE, Settings("litert", beam=1), cores="0x1")
    with pytest.raises(InputError, match="a strict measurement is one of time"):
        bench(up_down, DEVICE, Settings("litert", beam=1, strict=True))


# ---- the archive


def test_files_of_this_machine_are_archived(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"of 13 bytes..")
    archive = io.BytesIO()
    write_archive([Entry("a"), Entry("a/b", tmp_path / "file")], archive)
    assert contents(archive.getvalue()) == {
        "a": (FOLDER, b""),
        "a/b": (PROGRAM, b"of 13 bytes.."),
    }


@given(st.dictionaries(st.text("ab/é", min_size=1), st.none() | st.binary()))
def test_an_archive_has_what_it_was_given(files: dict[str, bytes | None]) -> None:
    archive = io.BytesIO()
    write_archive((Entry(name, content) for name, content in files.items()), archive)
    assert contents(archive.getvalue()) == {
        name: (FOLDER if content is None else PROGRAM, content or b"")
        for name, content in files.items()
    }


def contents(archive: bytes) -> dict[str, tuple[int, bytes]]:
    """Mode and content by name, field by field as the format has them."""
    found, at = {}, 0
    while True:
        header = archive[at : at + HEADER]
        assert header[:6] == b"070701"
        size, length = int(header[SIZE], 16), int(header[LENGTH_OF_NAME], 16)
        name = archive[at + HEADER : at + HEADER + length]
        assert name.endswith(b"\0")
        start = aligned(at + HEADER + length)
        if name[:-1].decode() == LAST:
            assert start == len(archive)
            return found
        found[name[:-1].decode()] = (int(header[14:22], 16), archive[start : start + size])
        at = aligned(start + size)


def aligned(offset: int) -> int:
    return -(-offset // 4) * 4
