"""An arm64 Linux or Android behind a shell as a device: folder, glibc of our own, runs, facts.

The runner and the wheels' runtimes need glibc, which a phone has not, and an old board not new
enough: it is pushed with them, and its loader starts the runner.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol

from capexport.bench.devices.libraries import library_in
from capexport.bench.devices.linux import machine_facts, machine_state
from capexport.bench.devices.parts import ARM64_ROOT, ARM64_RUNTIMES, ROOT
from capexport.bench.devices.target import DEVICE, Facts, Kind, Outcome
from capexport.bench.devices.topology import core_mask
from capexport.errors import DeviceError

ARM64 = "aarch64"
LOADER = "ld-linux-aarch64.so.1"
GLIBC = (
    *(LOADER, "libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1"),
    *("libgcc_s.so.1", "libstdc++.so.6"),
)
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
        RuntimeMissingError: the arm64 glibc was not fetched.
        DeviceError: on entry: it is no arm64, or does not run programs of our glibc.
    """

    kind: Kind = DEVICE
    build_target = "aarch64-linux-gnu"

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._libraries = ARM64_ROOT.needed() / ROOT / "lib/aarch64-linux-gnu"
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
            self.push({name: self._library(name) for name in GLIBC})
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

    def _library(self, name: str) -> Path:
        """Of the arm64 root; some of its libraries lie below usr."""
        beside = self._libraries.parents[1] / "usr/lib/aarch64-linux-gnu"
        return next(f for f in (self._libraries / name, beside / name) if f.exists()).resolve()

    def _probe(self) -> None:
        outcome = self._shell.run(f"{self._path(LOADER)} --version", QUICK_S)
        if outcome.status == FORBIDDEN_CALL:
            raise self._failure(
                "the device's kernel forbids a system call that glibc makes",
                "nothing but a program built by the NDK can run there",
            )
        if outcome.status != 0:
            raise self._failure(
                f"the device does not run our glibc: status {outcome.status}, {outcome.err}",
                "look whether the folder may hold programs (mount option noexec)",
            )

    # ---- Target

    def runtime_library(self, runtime: str) -> Path:
        return library_in(ARM64_RUNTIMES[runtime].needed(), runtime)

    def push(self, files: Mapping[str, Path]) -> None:
        for name, file in files.items():
            self._shell.send(file, f"{self._folder}/{name}")
        programs = " ".join(self._path(name) for name in files)
        self._checked(f"chmod 755 {programs}")

    def pull(self, name: str) -> bytes:
        return self._shell.fetch(f"{self._folder}/{name}")

    def run(self, program: str, arguments: Sequence[str], timeout_s: float) -> Outcome:
        loader = [f"./{LOADER}", "--library-path", "."]
        started = [*self._pinned, *loader, f"./{program}", *arguments]
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
        return {**name, **machine_facts(files.get)}

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
