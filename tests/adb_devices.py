"""Debian's real adb and adbd -> devices without a phone, root or a port that others could see.

A private network holds adb's server; each device is an adbd in namespaces of its own, which join
that network. The client reaches the server by a Unix socket. An arm64 device is the arm64 adbd, and
QEMU's user mode behind the kernel's binfmt_misc runs it and whatever it starts.
"""

import os
import platform
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from capexport.bench.devices.parts import ARM64_ROOT, ARM64_RUNTIMES
from capexport.debian import Packages, unpacked
from capexport.errors import RuntimeMissingError

SUITE = "trixie"
MACHINE = platform.machine()
OURS = {"x86_64": "amd64", "aarch64": "arm64"}.get(MACHINE, "")
ARM64 = "arm64"
EMULATED = OURS != ARM64
PORTS = count(5655)  # 5555 would be listed a second time, as an emulator
TOOLS = "usr/lib/android-sdk/platform-tools"
BOOT = Path(__file__).with_name("boot_adbd.sh")
REFUSING = Path(__file__).with_name("refusing_device.py")
OWN_NETWORK = ["unshare", "--user", "--map-root-user", "--net", "--pid", "--fork", "--kill-child"]
"""--kill-child: whatever runs inside ends with the command."""
OWN_ROOT = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
LEASH = ["sh", "-c", '"$@" >&2 & echo $!; cat > /dev/null; kill -9 $!', "leash"]
"""Tells a command's process id and ends it with the standard input: also when tests are killed."""
PATIENCE_S = 120.0
ROOMY = "1g"


def lack() -> str:
    """Why there can be no devices here; "" where there can."""
    emulates = "mount -t binfmt_misc none /proc/sys/fs/binfmt_misc" if EMULATED else "true"
    command = [*OWN_NETWORK, "--mount", "sh", "-c", f"ip link set lo up && {emulates}"]
    tried = subprocess.run(command, capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        return f"no namespaces of one's own here: {tried.stderr.strip()}"
    try:
        for architecture in (OURS, ARM64):
            device_packages(architecture)
        emulator()
        ARM64_ROOT.needed()
        ARM64_RUNTIMES["litert"].needed()
    except RuntimeMissingError as error:
        return f"no adbd here: {error.what}: {error.hint}"
    return ""


def device_packages(architecture: str) -> Path:
    """adb, adbd and a shell of a Debian architecture; raises as `unpacked`."""
    names = ("adb", "adbd", "busybox-static")
    return unpacked(Packages(SUITE, architecture, names, with_dependencies=True))


def emulator() -> Path:
    """A static QEMU that shows an Arm core's /proc/cpuinfo, so 8 or later; as `unpacked`."""
    packages = Packages(SUITE, OURS, ("qemu-user",))
    return unpacked(packages) / "usr/bin/qemu-aarch64"


def client(packages: Path, folder: Path) -> list[str]:
    """The command that starts adb by the loader and libraries of its own Debian."""
    libraries = packages / f"usr/lib/{MACHINE}-linux-gnu"
    loader = folder / "adb"  # some of its errors begin with the name of what the kernel started
    shutil.copy(next(libraries.glob("ld-linux-*.so.*")), loader)
    searched = ["--library-path", f"{libraries}:{libraries}/android"]
    return [str(loader), *searched, str(packages / TOOLS / "adb")]


@dataclass
class Device:
    """A running adbd.

    Args:
        leash: ends it.
        files: its /data/local/tmp, seen from here while it runs.
    """

    leash: subprocess.Popen[bytes]
    files: Path


@dataclass
class Network:
    """A network with adb's server; `bin/adb` in the folder is the client that asks it."""

    folder: Path
    process: int
    devices: dict[str, Device] = field(default_factory=dict)

    def adb(self, *arguments: str) -> str:
        """What the client wrote to both of its outputs."""
        done = subprocess.run(
            [self.folder / "bin/adb", *arguments], capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr

    def boot(self, architecture: str = ARM64, *, space: str = ROOMY) -> str:
        """Start a device and connect to it; its serial.

        Args:
            space: for its files, as `mount -t tmpfs -o size=` takes it.
        """
        port = next(PORTS)
        qemu = [str(emulator())] if architecture != OURS else []
        root = self.folder / f"root-{port}"
        root.mkdir()
        command = [str(BOOT), str(device_packages(architecture)), str(root), str(port), space]
        serial, process = self._start([*OWN_ROOT, *command, *qemu], port)
        self.devices[serial].files = Path(f"/proc/{process}/root{root}/data/local/tmp")
        self.wait(lambda: "connected to" in self.adb("connect", serial), f"{port}.log")
        self.wait(lambda: self.adb("-s", serial, "get-state") == "device\n", f"{port}.log")
        return serial

    def attach_refusing(self) -> str:
        """A device that never allows debugging; its serial."""
        port = next(PORTS)
        serial, _ = self._start([sys.executable, str(REFUSING), str(port)], port)
        self.wait(lambda: "failed to authenticate" in self.adb("connect", serial), f"{port}.log")
        self.wait(lambda: f"{serial}\tunauthorized" in self.adb("devices"), f"{port}.log")
        return serial

    def _start(self, command: list[str], port: int) -> tuple[str, int]:
        join = ["nsenter", f"--target={self.process}", "--user", "--net", "--preserve-credentials"]
        serial = f"127.0.0.1:{port}"
        leash, process = leashed([*join, *command], self.folder / f"{port}.log")
        self.devices[serial] = Device(leash, Path(os.devnull))
        return serial, process

    def kill(self, serial: str) -> None:
        """As if its battery had been taken out."""
        self.devices.pop(serial).leash.communicate()

    def remove(self, serial: str) -> None:
        """And adb forgets it."""
        self.kill(serial)
        self.adb("disconnect", serial)

    def wait(self, condition: Callable[[], bool], log: str) -> None:
        end = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError((self.folder / log).read_text())
            time.sleep(0.1)


@contextmanager
def network(folder: Path) -> Iterator[Network]:
    """A network and its server, without devices; all of it ends at the end.

    Args:
        folder: an empty one with a short path: a socket's may have 107 characters.
    """
    (folder / "bin").mkdir()
    (folder / "loader").mkdir()
    program = shlex.join(client(device_packages(OURS), folder / "loader"))
    own = f"export HOME={folder} ADB_SERVER_SOCKET=localfilesystem:{folder}/socket"
    (folder / "bin/adb").write_text(f'#!/bin/sh\n{own}\nexec {program} "$@"\n')
    (folder / "bin/adb").chmod(0o755)
    # Not start-server: it starts /proc/self/exe again, which is the loader here.
    serve = f"ip link set lo up && exec {folder}/bin/adb server nodaemon"
    server, process = leashed([*OWN_NETWORK, "sh", "-c", serve], folder / "server.log")
    made = Network(folder, process)
    try:
        made.wait((folder / "socket").exists, "server.log")
        yield made
    finally:
        for serial in list(made.devices):
            made.kill(serial)
        server.communicate()


def leashed(command: list[str], log: Path) -> tuple[subprocess.Popen[bytes], int]:
    """A running command, which `communicate` ends, and its process id."""
    pipe = subprocess.PIPE
    with log.open("wb") as errors:
        # A session of its own: an interrupt of the terminal is for the tests, which end it.
        leash = subprocess.Popen(
            [*LEASH, *command], stdin=pipe, stdout=pipe, stderr=errors, start_new_session=True
        )
    assert leash.stdout is not None
    return leash, int(leash.stdout.readline())
