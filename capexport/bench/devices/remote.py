"""An arm64 Linux or Android behind a shell as a device: folder, userland, runs, facts."""

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol

from capexport.bench.devices.linux import machine_facts, machine_state
from capexport.bench.devices.target import DEVICE, TIMES, Facts, Kind, Outcome, Tells
from capexport.bench.devices.topology import core_mask
from capexport.bench.devices.userland import LOADER, Userland
from capexport.errors import DeviceError

ARM64 = "aarch64"
FORBIDDEN_CALL = 128 + 31
"""Exit status of a program that the kernel ended for a system call (SIGSYS), as seccomp does."""
QUICK_S = 60.0
PUSH_S = 600.0
FACTS = (
    *("proc/cpuinfo", "proc/meminfo", "proc/version", "proc/loadavg", "proc/device-tree/model"),
    "sys/devices/system/cpu/cpu*/cpufreq/cpuinfo_max_freq",
    "sys/devices/system/cpu/cpu*/cpufreq/scaling_cur_freq",
    "sys/class/thermal/thermal_zone*/type",
    "sys/class/thermal/thermal_zone*/temp",
)
HEAD = "==> "


class Shell(Protocol):
    """A way to a device. Every method raises DeviceError where the way itself fails."""

    @property
    def name(self) -> str: ...

    def run(self, command: str, timeout_s: float) -> Outcome:
        """A command of the device's shell; its own exit status."""
        ...

    def send(self, file: Path, path: str) -> None: ...

    def fetch(self, path: str) -> bytes: ...

    def make_folder(self) -> str:
        """The path of a new, empty folder in which programs may be run."""
        ...

    def model(self) -> str | None:
        """What the device calls itself, where it does."""
        ...


class Remote:
    """A device behind a shell. A context manager: the folder is removed afterwards.

    Raises:
        DeviceError: on entry: it is no arm64, or does not run programs of a glibc of ours.
    """

    kind: Kind = DEVICE
    tells: Tells = TIMES

    def __init__(self, shell: Shell, userland: Userland) -> None:
        self._shell, self._userland = shell, userland
        self._folder = ""
        self._pinned: list[str] = []

    def __enter__(self) -> "Remote":
        machine = self._checked("uname -m").strip()
        if machine != ARM64:
            raise self._failure(
                f"the device is {machine!r}, not {ARM64}", "only 64-bit Arm can be measured"
            )
        self._folder = self._shell.make_folder()
        try:
            if self._userland.files:
                self.push(self._userland.files)
                self._probe()
        except DeviceError as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        try:
            self._checked(f"rm -rf {shlex.quote(self._folder)}")
        except DeviceError:
            if error is None:  # what went wrong before tells more
                raise

    def _probe(self) -> None:
        outcome = self._shell.run(f"{self._path(LOADER)} --version", QUICK_S)
        if outcome.status == FORBIDDEN_CALL:
            raise self._failure(
                "the device's kernel forbids a system call that glibc makes",
                "have the NDK build for it: set ANDROID_NDK, and give the runtime by --aar",
            )
        if outcome.status != 0:
            raise self._failure(
                f"the device does not run our glibc: status {outcome.status}, {outcome.err}",
                "look whether the folder may hold programs (mount option noexec)",
            )

    # ---- Target

    @property
    def build_target(self) -> str:
        return self._userland.build_target

    def runtime_library(self, runtime: str) -> Path:
        return self._userland.runtime_library(runtime)

    def push(self, files: Mapping[str, Path]) -> None:
        for name, file in files.items():
            self._shell.send(file, f"{self._folder}/{name}")
        programs = " ".join(self._path(name) for name in files)
        self._checked(f"chmod 755 {programs}")

    def pull(self, name: str) -> bytes:
        return self._shell.fetch(f"{self._folder}/{name}")

    def run(self, program: str, arguments: Sequence[str], timeout_s: float) -> Outcome:
        started = [*self._pinned, *self._userland.start, f"./{program}", *arguments]
        command = f"cd {shlex.quote(self._folder)} && {shlex.join(started)}"
        return self._shell.run(command, timeout_s)

    def pin(self, cores: str) -> str:
        """Raises InputError as `core_mask`, DeviceError where the device cannot do it."""
        mask = core_mask(cores, self.facts().get("max_clock_khz", {}))
        self._checked(f"taskset {mask} true")
        self._pinned = ["taskset", mask]
        return mask

    def facts(self) -> Facts:
        files = self._files()
        model = self._shell.model() or files.get("proc/device-tree/model", "").strip("\0\n ")
        name = {"name": self._shell.name, **({"model": model} if model else {})}
        return {**name, "userland": self._userland.name, **machine_facts(files.get)}

    def state(self) -> Facts:
        files = self._files()
        return machine_state(files.get, machine_facts(files.get)["cores"])

    # ---- the shell

    def _files(self) -> dict[str, str]:
        """Those of FACTS that the device lets us read, all in one call."""
        each = f'[ -r "$f" ] && echo "{HEAD}$f" && cat "$f" && echo'
        shown = self._shell.run(f"cd / && for f in {' '.join(FACTS)}; do {each}; done", QUICK_S)
        parts = re.split(rf"^{HEAD}(.*)\n", shown.out, flags=re.M)
        return dict(zip(parts[1::2], parts[2::2], strict=True))

    def _path(self, name: str) -> str:
        return shlex.quote(f"{self._folder}/{name}")

    def _checked(self, command: str) -> str:
        outcome = self._shell.run(command, QUICK_S)
        if outcome.status != 0:
            raise self._failure(
                f"{command.split()[0]} failed with status {outcome.status}: {outcome.err.strip()}",
                "look whether the device has space left and the folder can be written",
            )
        return outcome.out

    def _failure(self, what: str, hint: str) -> DeviceError:
        return DeviceError(what, where=self._shell.name, hint=hint)
