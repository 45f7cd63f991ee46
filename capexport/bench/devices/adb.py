"""A phone or tablet behind `adb`: which one, its shell, and what adb's own failures mean."""

import re
import shlex
import tempfile
from collections.abc import Sequence
from pathlib import Path

from capexport.bench.devices.processes import run_command
from capexport.bench.devices.remote import PUSH_S, QUICK_S
from capexport.bench.devices.target import Outcome
from capexport.errors import DeviceError

ADB = "adb"
FOLDER = "/data/local/tmp/capexport"
"""The one place in which Android lets its shell run programs."""
READY = "device"
ALLOW = "unlock the device and allow debugging on its screen"
HINTS = {
    "unauthorized": ALLOW,
    "authorizing": ALLOW,
    "offline": "unplug it and plug it in again, or restart it",
    "no permissions": "add a udev rule for it, or your user to the group plugdev",
}
"""What mends a state that `adb devices` shows."""
OWN_FAILURE = re.compile(r"^(?:adb: error|adb|error): (.*)", re.M)
ENDED = "capexport: ended"
"""Written to standard error behind each command: where a device goes away while one runs, adb ends
with the status 0 and no word."""


class Adb:
    """The shell of one device.

    Args:
        serial: of `adb devices`; "" for the only one there is.

    Raises:
        DeviceError: adb is not installed, or there is no such device, several, or one that is not
            ready.
    """

    def __init__(self, serial: str) -> None:
        self._serial = ready_serial(attached(), serial)

    @property
    def name(self) -> str:
        return f"adb:{self._serial}"

    def run(self, command: str, timeout_s: float) -> Outcome:
        """Only an outcome whose command is known to have ended."""
        whole = f"( {command}\n); status=$?; echo {shlex.quote(ENDED)} >&2; exit $status"
        outcome = self._adb(["shell", whole], timeout_s)
        err, ended, _ = outcome.err.rpartition(f"{ENDED}\n")
        if not ended:
            raise self._lost("it went away while a command ran")
        return Outcome(outcome.status, outcome.out, err)

    def send(self, file: Path, path: str) -> None:
        self._moved(["push", str(file), path])

    def fetch(self, path: str) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder, "copy")
            self._moved(["pull", path, str(copy)])
            return copy.read_bytes()

    def make_folder(self) -> str:
        folder = shlex.quote(FOLDER)
        outcome = self.run(f"rm -rf {folder} && mkdir -p {folder}", QUICK_S)
        if outcome.status != 0:
            raise DeviceError(
                f"the folder cannot be made: {outcome.err.strip()}",
                where=self.name,
                hint=f"look at {FOLDER} with `adb shell`",
            )
        return FOLDER

    def model(self) -> str | None:
        outcome = self.run("getprop ro.product.manufacturer; getprop ro.product.model", QUICK_S)
        return " ".join(outcome.out.split()) or None if outcome.status == 0 else None

    def _moved(self, arguments: Sequence[str]) -> None:
        outcome = self._adb(arguments, PUSH_S)
        if outcome.status != 0:
            if (state := attached().get(self._serial, "gone")) != READY:
                raise self._lost(f"it is {state} after adb {arguments[0]}")
            raise DeviceError(
                f"adb {arguments[0]} failed: {_reason(outcome)}",
                where=self.name,
                hint="look whether the device has space left",
            )

    def _adb(self, arguments: Sequence[str], timeout_s: float) -> Outcome:
        """A failure of adb itself has the exit status 1, as a program's may be: its words tell."""
        command = [ADB, "-s", self._serial, *arguments]
        outcome = run_command(command, timeout_s=timeout_s, where=self.name)
        own = OWN_FAILURE.match(outcome.err)
        if outcome.status == 1 and own and arguments[0] == "shell":
            raise self._lost(own[1])
        return outcome

    def _lost(self, reason: str) -> DeviceError:
        return DeviceError(
            f"adb lost the device: {reason}",
            where=self.name,
            hint=next((HINTS[s] for s in HINTS if s in reason), "look at the cable, try again"),
        )


def _reason(moved: Outcome) -> str:
    """Why a file was not moved: a line behind it may still count what was."""
    lines = f"{moved.err}\n{moved.out}".replace("\r", "\n").split("\n")
    said = [line for line in lines if line.strip()]
    return next((line for line in said if "error" in line), said[-1] if said else "it does not say")


def attached() -> dict[str, str]:
    """State by serial, as `adb devices` lists them; DeviceError where adb cannot be run."""
    outcome = run_command([ADB, "devices"], timeout_s=QUICK_S, where=ADB)
    if outcome.status != 0:
        raise DeviceError(
            f"adb failed: {outcome.err.strip()}", where=ADB, hint="try `adb kill-server`"
        )
    lines = [line.split("\t", 1) for line in outcome.out.splitlines() if "\t" in line]
    return {serial: state.strip() for serial, state in lines}


def ready_serial(devices: dict[str, str], serial: str) -> str:
    """The serial of the device that is meant.

    Raises:
        DeviceError: there is none, or several, or it is not ready.
    """
    if not serial and len(devices) == 1:
        serial = next(iter(devices))
    if serial not in devices:
        listed = ", ".join(devices) or "none"
        what = f"there is no device {serial!r}" if serial else f"{len(devices)} devices are there"
        raise DeviceError(
            f"{what}; attached: {listed}",
            where=ADB,
            hint="name it: --device adb:SERIAL"
            if devices
            else "plug one in, and switch USB debugging on in its developer options",
        )
    if (state := devices[serial]) != READY:
        hint = next((HINTS[word] for word in HINTS if word in state), "see `adb devices`")
        raise DeviceError(f"the device is {state}", where=f"adb:{serial}", hint=hint)
    return serial
