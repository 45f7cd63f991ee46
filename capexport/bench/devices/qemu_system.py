"""A whole emulated Arm machine with a Linux of its own, which tells what a program takes of memory.

In QEMU's user mode a process's memory is the emulator's as well. Here an arm64 kernel counts the
pages, and each run has a machine of its own, in whose memory nothing lies from before.
"""

import base64
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from capexport.bench.devices.arm_cores import MACHINES
from capexport.bench.devices.initramfs import Entry, write_archive
from capexport.bench.devices.local_folder import LocalFolder
from capexport.bench.devices.parts import (
    ARM64_MACHINE,
    BUSYBOX,
    KERNEL,
    ROOT,
    own_program,
)
from capexport.bench.devices.processes import run_command
from capexport.bench.devices.target import EMULATED, MEMORY, Facts, Kind, Outcome, Tells
from capexport.bench.devices.userland import Glibc
from capexport.errors import DeviceError, InputError

EMULATOR = "usr/bin/qemu-system-aarch64"
MEMORY_MIB = 2048
MOST_OF_IT = 1 / 3
"""For files: they lie there twice while they are unpacked, and the program needs the rest."""
FOLDER = "capexport"
FOLDERS = ("bin", "proc", "sys", "dev", FOLDER)
BOOT_S = 120.0
INIT = f"""#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
cd /{FOLDER}
{{command}} > /out 2> /err
status=$?
echo; echo "[status $status]"
echo "[out]"; /bin/busybox base64 /out
echo "[err]"; /bin/busybox base64 /err
echo "[end]"
/bin/busybox poweroff -f
"""
"""A serial port changes line ends, so what was written goes through it as letters and digits."""
SAID = re.compile(r"\[status (\d+)\]\n\[out\]\n(.*?)\[err\]\n(.*?)\[end\]", re.S)
PANIC = re.compile(r"Kernel panic[^\r\n]*")


class QemuSystem(LocalFolder):
    """One machine for each run. A context manager: the folder is gone afterwards.

    Args:
        core: a name of arm_cores.MACHINES.

    Raises:
        InputError: there is no such core.
        RuntimeMissingError: a part was not fetched.
    """

    kind: Kind = EMULATED
    tells: Tells = MEMORY
    build_target = Glibc.build_target

    def __init__(self, core: str) -> None:
        super().__init__()
        if core not in MACHINES:
            raise InputError(
                f"there is no core {core!r} to emulate",
                where="device",
                hint=f"use qemu-system:CORE with one of {', '.join(MACHINES)}",
            )
        self._core = core
        self._machine = ARM64_MACHINE.needed()
        self._glibc = Glibc()
        self._files: dict[str, Path] = {}

    def runtime_library(self, runtime: str) -> Path:
        return self._glibc.runtime_library(runtime)

    def push(self, files: Mapping[str, Path]) -> None:
        for name, file in files.items():
            self._files[name] = Path(shutil.copy(file, self._folder / f"pushed_{name}"))

    def pull(self, name: str) -> bytes:
        """Of what was pushed: what a program writes ends with its machine."""
        return self._files[name].read_bytes()

    def run(self, program: str, arguments: Sequence[str], timeout_s: float) -> Outcome:
        """Boot, run, and switch off; DeviceError where the machine does not come to its end."""
        command = [*self._glibc.start, f"./{program}", *arguments]
        archive = self._folder / "initramfs.cpio"
        with archive.open("wb") as file:
            write_archive(self._entries(shlex.join(command)), file)
        if archive.stat().st_size > MEMORY_MIB * 2**20 * MOST_OF_IT:
            raise self._failure(f"files of {archive.stat().st_size >> 20} MiB are too large for it")
        emulator = self._emulator(archive)
        done = run_command(emulator, timeout_s=timeout_s + BOOT_S, where=self._name())
        said = SAID.search(done.out.replace("\r\n", "\n"))
        if not said:
            words = PANIC.findall(done.out) or (done.err + done.out).splitlines()[-1:]
            raise self._failure(f"the emulated machine did not come to its end: {words}")
        out, err = (base64.b64decode(text).decode(errors="replace") for text in said.group(2, 3))
        return Outcome(int(said[1]), out, err)

    def pin(self, cores: str) -> str:
        raise InputError(
            "an emulated machine has one core", where="--cores", hint="leave out --cores for it"
        )

    def facts(self) -> Facts:
        return {
            "name": self._name(),
            "cores": 1,
            "core_names": {self._core: 1},
            "memory_kib": MEMORY_MIB * 1024,
        }

    def state(self) -> Facts:
        return {}

    def _name(self) -> str:
        return f"qemu-system:{self._core}"

    def _failure(self, what: str) -> DeviceError:
        hint = f"look whether the model fits {MEMORY_MIB} MiB, and whether they can be had here"
        return DeviceError(what, where=self._name(), hint=hint)

    def _entries(self, command: str) -> Iterator[Entry]:
        yield from map(Entry, FOLDERS)
        yield Entry("bin/busybox", self._machine / BUSYBOX)
        yield Entry("init", INIT.format(command=command).encode())
        for name, file in {**self._glibc.files, **self._files}.items():
            yield Entry(f"{FOLDER}/{name}", file)

    def _emulator(self, archive: Path) -> list[str]:
        """Without a disk, a network or a window: its serial port is our standard output."""
        machine = ["-M", "virt", "-cpu", self._core, "-smp", "1", "-m", str(MEMORY_MIB)]
        devices = ["-display", "none", "-nic", "none", "-monitor", "none", "-serial", "stdio"]
        linux = ["-kernel", str(self._machine / KERNEL), "-initrd", str(archive)]
        # A kernel that fails starts again at once, which ends the emulator.
        words = ["-no-reboot", "-append", "quiet loglevel=1 panic=-1"]
        root = self._machine / ROOT
        own = [*own_program(root, EMULATOR), "-L", str(root / "usr/share/qemu")]
        return [*own, *machine, *devices, *linux, *words]
