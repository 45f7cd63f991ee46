"""`--device adb` against Debian's real adb and adbd: a device of this machine's architecture.

adbd runs in namespaces of its own, so nothing of it is seen outside. Skipped, with the reason,
where its packages or such namespaces are not to be had: they are no test data.
"""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest
from adb_devices import ARCHITECTURES, MACHINE, OWN_NETWORK, Network, device_packages, network

from capexport.bench import Report, Settings, bench
from capexport.bench.devices import open_device, remote
from capexport.bench.devices.adb import FOLDER
from capexport.bench.devices.host import Host
from capexport.bench.devices.remote import GLIBC, LOADER, Remote
from capexport.bundle import Bundle
from capexport.errors import DeviceError, RuntimeMissingError

PORTS = count(5655)  # 5555 would be listed a second time, as an emulator
SHORT = Settings("litert", 2, rounds=2, samples=6, warm_up=1)
ENDLESS = Settings("litert", 2, rounds=1, samples=10**6, warm_up=1)


@pytest.fixture(scope="module")
def packages() -> Path:
    command = [*OWN_NETWORK, "sh", "-c", "ip link set lo up"]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("no namespaces of one's own here, or no ip")
    try:
        return device_packages(ARCHITECTURES[MACHINE])
    except RuntimeMissingError as error:
        pytest.skip(f"no adbd here: {error.what}")


@pytest.fixture(scope="module")
def own_network(packages: Path) -> Iterator[Network]:
    with tempfile.TemporaryDirectory() as folder, network(packages, Path(folder)) as made:
        yield made


@pytest.fixture
def adb(own_network: Network, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    """A network without devices, whose adb is the one on the path."""
    monkeypatch.setenv("PATH", f"{own_network.folder}/bin", prepend=":")
    yield own_network
    for serial in list(own_network.devices):
        own_network.remove(serial)


@pytest.fixture
def serial(adb: Network, packages: Path) -> str:
    return adb.boot(packages, next(PORTS))


@pytest.fixture
def glibc(packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The device's own glibc in the place of the arm64 one; gcc's two libraries are with it."""
    libraries = tmp_path / "glibc"
    libraries.mkdir()
    theirs = packages / f"usr/lib/{MACHINE}-linux-gnu"
    loader = next(theirs.glob("ld-linux-*.so.*"))
    for name in GLIBC:
        (libraries / name).symlink_to(loader if name == LOADER else theirs / name)
    monkeypatch.setattr(Remote, "_library", lambda _, name: (libraries / name).resolve())
    monkeypatch.setattr(remote.ARM64_ROOT.__class__, "needed", lambda _: libraries)


@pytest.fixture
def accepted(glibc: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device of this machine's architecture passes for one that can be measured."""
    monkeypatch.setattr(remote, "ARM64", MACHINE)
    monkeypatch.setattr(Remote, "build_target", "host")
    monkeypatch.setattr(Remote, "runtime_library", Host.runtime_library)


def on_device(adb: Network, serial: str, command: str) -> str:
    return adb.adb("-s", serial, "shell", command)


@pytest.mark.usefixtures("accepted")
def test_a_whole_measurement(up_down: Bundle, adb: Network, serial: str) -> None:
    report = bench(up_down, f"adb:{serial}", SHORT)
    assert report.kind == "measured-device"
    assert report.output["as_expected"]
    assert report.output["tokens"] == bench(up_down, "host", SHORT).output["tokens"]
    assert report.device["name"] == f"adb:{serial}"
    assert report.device["cores"] == Host().facts()["cores"]
    assert [len(samples) for samples in report.latency_ms["caption"]] == [3, 3]
    assert on_device(adb, serial, "ls -A /data/local/tmp") == ""


@pytest.mark.usefixtures("accepted")
def test_files_are_whole_and_statuses_the_programs(serial: str, tmp_path: Path) -> None:
    content = bytes(range(256)) * 3 + b"\r\n"
    (tmp_path / "sent").write_bytes(content)
    with open_device("adb") as target:  # the only one
        target.push({"received": tmp_path / "sent"})
        assert target.pull("received") == content
        shell = target._shell  # type: ignore[attr-defined]  # the way to it is what is tested
        outcome = shell.run("echo 'a  $b'; echo err >&2; exit 7", 60)
    assert (outcome.status, outcome.out, outcome.err) == (7, "a  $b\n", "err\n")


# ---- faults


@pytest.mark.usefixtures("adb", "glibc")
def test_no_device() -> None:
    with pytest.raises(DeviceError, match="0 devices are there; attached: none"):
        open_device("adb")


@pytest.mark.usefixtures("accepted")
def test_two_devices(adb: Network, packages: Path, serial: str) -> None:
    second = adb.boot(packages, next(PORTS))
    with pytest.raises(DeviceError, match="2 devices are there") as caught:
        open_device("adb")
    assert serial in caught.value.what
    assert caught.value.hint == "name it: --device adb:SERIAL"
    with open_device(f"adb:{second}"):
        assert on_device(adb, second, f"ls {FOLDER}") != ""
        assert on_device(adb, serial, "ls -A /data/local/tmp") == ""


@pytest.mark.usefixtures("glibc")
@pytest.mark.skipif(MACHINE == "aarch64", reason="this machine is one that can be measured")
def test_another_architecture(adb: Network, serial: str) -> None:
    with (
        pytest.raises(DeviceError, match=f"the device is '{MACHINE}', not aarch64"),
        open_device("adb"),
    ):
        pass
    assert on_device(adb, serial, "ls -A /data/local/tmp") == ""


@pytest.mark.usefixtures("accepted")
def test_a_runner_that_is_killed(up_down: Bundle, adb: Network, serial: str) -> None:
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(bench, up_down, "adb", ENDLESS)
        on_device(adb, serial, f"kill -9 {process(adb, serial, running)}")
        with pytest.raises(DeviceError, match="the runner ended with status 137") as caught:
            running.result()
    assert caught.value.where == f"adb:{serial}"
    assert on_device(adb, serial, "ls -A /data/local/tmp") == ""


@pytest.mark.usefixtures("accepted")
def test_a_device_that_goes_away(up_down: Bundle, adb: Network, serial: str) -> None:
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(bench, up_down, "adb", ENDLESS)
        process(adb, serial, running)
        adb.kill(serial)
        with pytest.raises(DeviceError, match="adb lost the device: it went away") as caught:
            running.result()
    assert caught.value.where == f"adb:{serial}"
    assert caught.value.hint == "look at the cable, try again"
    adb.adb("disconnect", serial)


@pytest.mark.usefixtures("accepted")
def test_a_device_that_is_gone_before_a_run(adb: Network, serial: str) -> None:
    def fail() -> None:
        with open_device("adb") as target:
            adb.remove(serial)
            target.run("absent", [], 60)

    with pytest.raises(DeviceError, match=r"adb lost the device: device '.*' not found"):
        fail()


def process(adb: Network, serial: str, running: "Future[Report]") -> str:
    """Number of the runner's process on the device, once there is one."""
    while not running.done():
        found = on_device(adb, serial, "ps | grep '[.]/capexport_bench' | grep -v 'sh -c'").split()
        if found:
            return found[0]
        time.sleep(0.1)
    running.result()  # raises what kept it from starting
    pytest.fail("the runner ended by itself")
