"""`--device adb` against Debian's real adb and an arm64 adbd, and what goes wrong on the way.

Nothing of it is seen outside its namespaces. Skipped, with the reason, where such namespaces, a
kernel that emulates in them (6.7), the packages or the arm64 parts are not to be had.
"""

import os
import shlex
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from adb_devices import EMULATED, MACHINE, OURS, Network, lack, network

from capexport.bench import Settings, UnfinishedError, bench
from capexport.bench.devices import open_device
from capexport.bench.devices.adb import FOLDER
from capexport.bench.devices.host import Host
from capexport.bench.devices.userland import Glibc
from capexport.bundle import Bundle
from capexport.errors import DeviceError, InputError, RuntimeMissingError
from capexport.kernels.compiler import LEAST_ANDROID

SHORT = Settings("litert", 2, rounds=2, samples=6, warm_up=1)
ENDLESS = Settings("litert", 2, rounds=1, samples=10**6, warm_up=1)
GLIBC_ALONE = "8m"
"""Space for the arm64 glibc, of 5 MB, but not for a runtime beside it."""
LARGE = 64 << 20
"""Bytes of a file that an emulated adbd receives for seconds."""


@pytest.fixture(scope="module")
def own_network() -> Iterator[Network]:
    if reason := lack():
        pytest.skip(reason)
    with tempfile.TemporaryDirectory() as folder, network(Path(folder)) as made:
        yield made


@pytest.fixture
def adb(own_network: Network, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    """A network without devices, whose adb is the one on the path."""
    monkeypatch.setenv("PATH", f"{own_network.folder}/bin", prepend=os.pathsep)
    yield own_network
    for serial in list(own_network.devices):
        own_network.kill(serial)
    own_network.adb("disconnect")  # all of them


@pytest.fixture
def serial(adb: Network) -> str:
    return adb.boot()


def left(adb: Network, serial: str) -> list[str]:
    """What lies where programs may run."""
    return sorted(file.name for file in adb.devices[serial].files.iterdir())


def test_a_whole_measurement(up_down: Bundle, adb: Network, serial: str) -> None:
    report = bench(up_down, f"adb:{serial}", replace(SHORT, per_layer=True))
    assert report.kind == "measured-device"
    assert all(one["operators"] for one in report.layers_ms.values())
    assert report.output["as_expected"]
    assert report.output["tokens"] == bench(up_down, "host", SHORT).output["tokens"]
    assert report.device["name"] == f"adb:{serial}"
    assert report.device["cores"] == Host().facts()["cores"]
    assert list(report.device["core_names"]) == ["Cortex-A76"] or not EMULATED
    assert [len(samples) for samples in report.latency_ms["caption"]] == [3, 3]
    assert left(adb, serial) == []


@pytest.fixture
def ndk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder like an NDK's: its clang links to glibc, which these devices have for bionic."""
    clang = tmp_path / "ndk/toolchains/llvm/prebuilt/linux-x86_64/bin/clang"
    clang.parent.mkdir(parents=True)
    zig = shlex.join([sys.executable, "-m", "ziglang", "cc", "-target", "aarch64-linux-gnu.2.31"])
    check = f'[ "$1" = --target=aarch64-linux-android{LEAST_ANDROID} ] || exit 9'
    clang.write_text(f'#!/bin/sh\n{check}\nshift\nexec {zig} "$@"\n')
    clang.chmod(0o755)
    monkeypatch.setenv("ANDROID_NDK", str(tmp_path / "ndk"))
    return tmp_path / "ndk"


@pytest.mark.usefixtures("ndk")
def test_programs_of_the_ndk_run_without_a_glibc_of_ours(
    up_down: Bundle, adb: Network, serial: str, tmp_path: Path
) -> None:
    archive = tmp_path / "onnxruntime-android-1.0.0.aar"
    with zipfile.ZipFile(archive, "w") as aar:
        library = Glibc().runtime_library("onnxruntime")
        aar.write(library, "jni/arm64-v8a/libonnxruntime.so")
    settings = replace(SHORT, runtime="onnxruntime", per_layer=True)
    report = bench(up_down, "adb", settings, archives=[archive])
    assert report.output["as_expected"]
    assert all(one["operators"] for one in report.layers_ms.values())
    assert report.device["userland"] == "bionic"
    assert report.settings["runtime_version"] == archive.name
    assert Path(FOLDER).name not in left(adb, serial)  # ONNX Runtime itself leaves a .cache
    with pytest.raises(RuntimeMissingError, match=r"no libLiteRt\.so for arm64-v8a") as caught:
        bench(up_down, "adb", SHORT, archives=[archive])
    assert caught.value.where == str(archive)


def test_a_board_takes_no_archive(up_down: Bundle) -> None:
    with pytest.raises(InputError, match=r"takes no \.aar"):
        bench(up_down, "ssh:board", SHORT, archives=[Path("some.aar")])


def test_files_are_whole_and_statuses_the_programs(
    adb: Network, serial: str, tmp_path: Path
) -> None:
    content = bytes(range(256)) * 3 + b"\r\n"
    (tmp_path / "sent").write_bytes(content)
    with open_device("adb") as target:  # the only one
        target.push({"received": tmp_path / "sent"})
        assert target.pull("received") == content
        shell = target._shell  # type: ignore[attr-defined]  # the way to it is what is tested
        outcome = shell.run("echo 'a  $b'; echo err >&2; exit 7", 60)
    assert (outcome.status, outcome.out, outcome.err) == (7, "a  $b\n", "err\n")


# ---- which device


@pytest.mark.usefixtures("adb")
def test_no_device() -> None:
    with pytest.raises(DeviceError, match="0 devices are there; attached: none"):
        open_device("adb")


def test_two_devices(adb: Network, serial: str) -> None:
    second = adb.boot()
    with pytest.raises(DeviceError, match="2 devices are there") as caught:
        open_device("adb")
    assert serial in caught.value.what
    assert caught.value.hint == "name it: --device adb:SERIAL"
    with open_device(f"adb:{second}"):
        assert left(adb, second) == [Path(FOLDER).name]
        assert left(adb, serial) == []
    assert left(adb, second) == []


@pytest.mark.skipif(not EMULATED, reason="this machine is one that can be measured")
def test_another_architecture(adb: Network) -> None:
    serial = adb.boot(OURS)
    with (
        pytest.raises(DeviceError, match=f"the device is '{MACHINE}', not aarch64"),
        open_device("adb"),
    ):
        pass
    assert left(adb, serial) == []


def test_a_device_whose_owner_does_not_allow_it(adb: Network) -> None:
    serial = adb.attach_refusing()
    with pytest.raises(DeviceError, match="the device is unauthorized") as caught:
        open_device(f"adb:{serial}")
    assert caught.value.hint == "unlock the device and allow debugging on its screen"


# ---- what fails on the way


def test_no_space_is_left(up_down: Bundle, adb: Network) -> None:
    serial = adb.boot(space=GLIBC_ALONE)
    with pytest.raises(DeviceError, match=r"adb push failed: .*No space left on device") as caught:
        bench(up_down, "adb", SHORT)
    assert caught.value.where == f"adb:{serial}"
    assert caught.value.hint == "look whether the device has space left"
    assert left(adb, serial) == []


def test_a_runner_that_is_killed(up_down: Bundle, adb: Network, serial: str) -> None:
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(bench, up_down, "adb", ENDLESS)
        while not (runner := process(adb, serial)) and not running.done():
            time.sleep(0.1)
        adb.adb("-s", serial, "shell", f"kill -9 {runner}")
        with pytest.raises(DeviceError, match="the runner ended with status 137") as caught:
            running.result()
    assert caught.value.where == f"adb:{serial}"
    assert left(adb, serial) == []


def test_a_device_that_goes_away_during_a_run(up_down: Bundle, adb: Network, serial: str) -> None:
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(bench, up_down, "adb", ENDLESS)
        while not process(adb, serial) and not running.done():
            time.sleep(0.1)
        adb.kill(serial)
        with pytest.raises(DeviceError, match="adb lost the device: it went away") as caught:
            running.result()
    assert caught.value.where == f"adb:{serial}"
    assert caught.value.hint == "look at the cable, try again"


def test_a_device_that_goes_away_during_a_push(adb: Network, serial: str, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(os.urandom(LARGE))

    def push() -> None:
        with open_device("adb") as target:
            target.push({"large": tmp_path / "large"})

    arriving = adb.devices[serial].files / Path(FOLDER).name / "large"
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(push)
        while not arriving.exists() and not running.done():
            time.sleep(0.01)
        adb.kill(serial)
        with pytest.raises(DeviceError, match=r"adb lost the device: it is \w+ after adb push"):
            running.result()


def test_a_device_that_is_gone_before_a_run(adb: Network, serial: str) -> None:
    def fail() -> None:
        with open_device("adb") as target:
            adb.remove(serial)
            target.run("absent", [], 60)

    with pytest.raises(DeviceError, match=r"adb lost the device: device '.*' not found"):
        fail()


def test_the_rounds_before_a_loss_are_kept(up_down: Bundle, adb: Network, serial: str) -> None:
    def lose(stage: str) -> None:
        if stage == "round 2 of 2":
            adb.remove(serial)

    with pytest.raises(UnfinishedError, match="adb lost the device") as caught:
        bench(up_down, "adb", SHORT, stage=lose)
    report = caught.value.report
    assert [len(samples) for samples in report.latency_ms["caption"]] == [3]
    assert report.doubts[0].startswith("round 2: adb lost the device")
    assert report.device["cores"] == Host().facts()["cores"]


def process(adb: Network, serial: str) -> str:
    """Number of the runner's process on the device; "" while there is none."""
    listed = adb.adb("-s", serial, "shell", "ps | grep '[.]/capexport_bench' | grep -v 'sh -c'")
    return listed.split()[0] if listed else ""
