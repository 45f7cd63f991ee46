"""Devices behind adb and ssh: whole measurements through stand-ins for both programs, and faults.

The stand-ins run commands on this machine and say that it is arm64; the loader of the arm64 glibc
is one as well. Everything else is what a phone would be sent.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from capexport.bench import Report, Settings, bench
from capexport.bench.devices import adb, open_device
from capexport.bench.devices.adb import ready_serial
from capexport.bench.devices.host import Host
from capexport.bench.devices.processes import run_command
from capexport.bench.devices.qemu import Qemu
from capexport.bench.devices.target import Outcome
from capexport.bench.devices.userland import GLIBC, LOADER, Glibc
from capexport.bundle import Bundle
from capexport.errors import DeviceError, InputError, RuntimeMissingError

ON_DEVICE = "uname() { echo ${MACHINE:-aarch64}; }; getprop() { echo Fake; };"
ADB = f"""#!/bin/sh
[ -n "$ADB_ERROR" ] && [ "$3" = "$ADB_FAILS" ] && {{ echo "$ADB_ERROR" >&2; exit 1; }}
case $1 in devices) printf 'List of devices attached\\nFAKE\\tdevice\\n\\n'; exit;; esac
case $3 in
  shell) exec sh -c "{ON_DEVICE} $4" ;;
  push | pull) cp "$4" "$5" ;;
esac
"""
SSH = f"""#!/bin/sh
[ -n "$SSH_ERROR" ] && {{ echo "$SSH_ERROR" >&2; exit 255; }}
for last; do :; done
exec sh -c "{ON_DEVICE} $last"
"""
SCP = """#!/bin/sh
while [ $# -gt 2 ]; do shift; done
cp "${1#*@board:}" "${2#*@board:}"
"""
LOADER_SCRIPT = """#!/bin/sh
[ "$1" = --version ] && exit ${PROBE:-0}
[ "$1 $2" = "--library-path ." ] || exit 9
shift 2
exec "$@"
"""
DEVICES = ("adb", "adb:FAKE", "ssh:me@board")


def script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """adb, ssh and scp on the path, and an arm64 root; gives the device's folder for adb."""
    programs, root = tmp_path / "bin", tmp_path / "capexport/devices/arm64-root/root"
    libraries = root / "lib/aarch64-linux-gnu"
    for folder in (programs, libraries):
        folder.mkdir(parents=True)
    for name, text in (("adb", ADB), ("ssh", SSH), ("scp", SCP)):
        script(programs / name, text)
    for name in GLIBC:
        script(libraries / name, LOADER_SCRIPT if name == LOADER else "")
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(adb, "FOLDER", str(tmp_path / "on the device"))
    kernels = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "capexport/kernels")
    kernels.mkdir(parents=True, exist_ok=True)
    (tmp_path / "capexport/kernels").symlink_to(kernels)  # what is built already
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    yield tmp_path / "on the device"
    assert not (tmp_path / "on the device").exists()
    assert not list(tmp_path.glob("tmp.*"))


def measured(bundle: Bundle, device: str, monkeypatch: pytest.MonkeyPatch) -> Report:
    """A short measurement; what is built is for this machine."""
    monkeypatch.setattr(Glibc, "build_target", "host")
    monkeypatch.setattr(Glibc, "runtime_library", Host.runtime_library)
    return bench(bundle, device, Settings("litert", 2, rounds=1, samples=2, warm_up=1))


@pytest.mark.parametrize("device", DEVICES)
def test_a_whole_measurement(
    device: str, up_down: Bundle, stand_ins: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = measured(up_down, device, monkeypatch)
    assert report.kind == "measured-device"
    assert report.output["as_expected"]
    assert report.device["name"] == {"adb": "adb:FAKE"}.get(device, device)
    assert report.device.get("model") == (None if "ssh" in device else "Fake Fake")
    assert report.device["cores"] == Host().facts()["cores"]
    assert report.device["states"][0]["before"]["load"] >= 0
    assert len(report.latency_ms["caption"][0]) == 2


@pytest.mark.parametrize("device", DEVICES)
def test_files_are_whole_and_statuses_the_programs(
    device: str, stand_ins: Path, tmp_path: Path
) -> None:
    content = bytes(range(256)) * 3
    (tmp_path / "sent").write_bytes(content)
    script(tmp_path / "program", '#!/bin/sh\necho "out $1"\necho err >&2\nexit 7\n')
    with open_device(device) as target:
        target.push({"received": tmp_path / "sent", "program": tmp_path / "program"})
        assert target.pull("received") == content
        outcome = target.run("program", ["a 'quoted' $word"], 60)
    assert (outcome.status, outcome.out, outcome.err) == (7, "out a 'quoted' $word\n", "err\n")


@pytest.mark.parametrize("device", ["adb", "host"])
def test_a_program_runs_on_the_cores_that_were_asked_for(
    device: str, stand_ins: Path, tmp_path: Path
) -> None:
    script(tmp_path / "program", "#!/bin/sh\ngrep Cpus_allowed: /proc/self/status\n")
    with open_device(device) as target:
        target.push({"program": tmp_path / "program"})
        assert target.pin("0x1") == "1"
        assert int(target.run("program", [], 60).out.split()[1].replace(",", ""), 16) == 1


def test_cores_that_this_machine_lacks_are_seen_before_a_run() -> None:
    with open_device("host") as target, pytest.raises(DeviceError, match="cannot be had"):
        target.pin("0x8000000000000000")


def test_an_emulated_core_cannot_be_chosen_from() -> None:
    with pytest.raises(InputError, match="an emulated core is one core"):
        Qemu.pin(object.__new__(Qemu), "big")


# ---- faults


@pytest.mark.parametrize(
    ("device", "environment", "reason"),
    [
        ("adb", {"MACHINE": "armv7l"}, "the device is 'armv7l', not aarch64"),
        ("adb", {"PROBE": "159"}, "the device's kernel forbids a system call"),
        ("ssh:me@board", {"PROBE": "126"}, "does not run our glibc: status 126"),
        (
            "adb",
            {"ADB_ERROR": "error: device unauthorized.", "ADB_FAILS": "shell"},
            "adb lost the device: device unauthorized",
        ),
        (
            "adb",
            {"ADB_ERROR": "adb: error: no space left", "ADB_FAILS": "push"},
            "adb push failed: adb: error: no space left",
        ),
        ("ssh:me@board", {"SSH_ERROR": "Permission denied"}, "ssh failed: Permission denied"),
    ],
)
def test_what_goes_wrong_is_said(
    device: str,
    environment: dict[str, str],
    reason: str,
    stand_ins: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(DeviceError, match=reason), open_device(device):
        pass


def test_a_device_that_goes_away_does_not_hide_the_first_error(
    stand_ins: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        with open_device("adb") as target:
            monkeypatch.setenv("ADB_ERROR", "error: device offline")
            monkeypatch.setenv("ADB_FAILS", "shell")
            target.run("absent", [], 60)

    with pytest.raises(DeviceError, match="adb lost the device: device offline") as caught:
        fail()
    assert caught.value.hint == "unplug it and plug it in again, or restart it"
    monkeypatch.delenv("ADB_ERROR")
    for file in stand_ins.iterdir():
        file.unlink()
    stand_ins.rmdir()


@pytest.mark.parametrize(
    ("devices", "serial", "reason", "hint"),
    [
        ({}, "", "0 devices are there; attached: none", "plug one in"),
        ({"A": "device", "B": "device"}, "", "2 devices are there; attached: A, B", "adb:SERIAL"),
        ({"A": "device"}, "B", "there is no device 'B'; attached: A", "adb:SERIAL"),
        ({"A": "unauthorized"}, "", "the device is unauthorized", "allow debugging"),
        ({"A": "authorizing"}, "", "the device is authorizing", "allow debugging"),
        ({"A": "offline"}, "A", "the device is offline", "plug it in again"),
        ({"A": "no permissions; see [url]"}, "A", "the device is no permissions", "udev rule"),
        ({"A": "recovery"}, "A", "the device is recovery", "see `adb devices`"),
    ],
)
def test_a_device_that_is_not_ready(
    devices: dict[str, str], serial: str, reason: str, hint: str
) -> None:
    with pytest.raises(DeviceError) as caught:
        ready_serial(devices, serial)
    assert caught.value.what == reason or caught.value.what.startswith(reason)
    assert hint in caught.value.hint


def test_the_device_that_is_meant() -> None:
    assert ready_serial({"A": "device"}, "") == "A"
    assert ready_serial({"A": "offline", "B": "device"}, "B") == "B"


@pytest.mark.parametrize("host", ["", "-oProxyCommand=x"])
def test_what_ssh_would_take_for_an_option_is_refused(host: str) -> None:
    with pytest.raises(InputError, match="is no host"):
        open_device(f"ssh:{host}")


def test_without_adb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DeviceError, match="adb cannot be started: No such file"):
        open_device("adb")


def test_without_the_arm64_root(stand_ins: Path, tmp_path: Path) -> None:
    (tmp_path / "capexport/devices/arm64-root").rename(tmp_path / "away")
    with pytest.raises(RuntimeMissingError, match="arm64-root is needed"):
        open_device("ssh:me@board")


def test_a_command_that_does_not_end_is_ended() -> None:
    with pytest.raises(DeviceError, match="sleep did not end within 0 s"):
        run_command(["sleep", "60"], timeout_s=0.2, where="here")


@pytest.mark.parametrize("first", ["error", "count"])
def test_the_reason_of_a_failed_push_is_found_before_and_behind_the_count(first: str) -> None:
    """adb prints both from two threads."""
    error, count = "adb: error: failed to copy: No space left", "f: 1 file pushed, 0 skipped."
    lines = [error, count] if first == "error" else [count, error]
    assert adb._reason(Outcome(1, "\r".join(lines) + "\n", "")) == error
    assert adb._reason(Outcome(1, "", "cannot stat\n")) == "cannot stat"
    assert adb._reason(Outcome(1, "", "")) == "it does not say"
