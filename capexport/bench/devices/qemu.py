"""An Arm core in QEMU's user mode: the real arm64 runtimes, and counts of what they execute."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from capexport.bench.devices.arm_cores import CORES, Core
from capexport.bench.devices.core_models import hierarchies
from capexport.bench.devices.libraries import library_in
from capexport.bench.devices.local_folder import LocalFolder
from capexport.bench.devices.parts import ARM64_ROOT, ARM64_RUNTIMES, ROOT
from capexport.bench.devices.processes import run_command
from capexport.bench.devices.target import COUNTS, EMULATED, Facts, Kind, Outcome, Tells
from capexport.errors import InputError, RuntimeMissingError
from capexport.kernels.build import build_product
from capexport.kernels.products import Product

QEMU = "qemu-aarch64"
FIRST_VERSION_WITHOUT_OUR_PLUGINS = 9
COUNTED = "counts.jsonl"
COUNTER = Product(
    "libcapexport_counter.so", (str(Path(__file__).resolve().parent.parent / "counter"),)
)


class Qemu(LocalFolder):
    """One emulated core. Each run leaves COUNTED in the folder, a line for each marked region.

    Args:
        core: a name of arm_cores.CORES.

    Raises:
        InputError: there is no such core.
        RuntimeMissingError: no emulator that takes plugins, or a part was not fetched.
    """

    kind: Kind = EMULATED
    tells: Tells = COUNTS
    build_target = "aarch64-linux-gnu"

    def __init__(self, core: str) -> None:
        super().__init__()
        if core not in CORES:
            raise InputError(
                f"there is no core {core!r} to emulate",
                where="device",
                hint=f"use qemu:CORE with one of {', '.join(CORES)}",
            )
        self._core = CORES[core]
        self._qemu, self._version = find_qemu()
        self._root = ARM64_ROOT.needed() / ROOT
        self._guest = Path()

    def __enter__(self) -> Self:
        super().__enter__()
        self._guest = self._folder.parent / "guest"
        self._make_guest()
        return self

    def _make_guest(self) -> None:
        """The arm64 root, seen through links, with this core's /proc/cpuinfo.

        QEMU looks for every absolute path below its -L first, so that nothing need be mounted.
        Version 7.2 would pass on this machine's cpuinfo, of which the runtimes die.
        """
        (self._guest / "proc").mkdir(parents=True)
        (self._guest / "proc/cpuinfo").write_text(self._core.cpuinfo())
        for name in ("lib", "usr"):
            (self._guest / name).symlink_to(self._root / name)

    def runtime_library(self, runtime: str) -> Path:
        return library_in(ARM64_RUNTIMES[runtime].needed(), runtime)

    def run(self, program: str, arguments: Sequence[str], timeout_s: float) -> Outcome:
        """Counts depend on the length of arguments and environment, so both are always the same."""
        plugin = plugin_argument(self._core, COUNTED)
        emulated = [self._qemu, "-cpu", self._core.cpu, "-L", str(self._guest), "-plugin", plugin]
        return run_command(
            [*emulated, f"./{program}", *arguments],
            timeout_s=timeout_s,
            where=f"qemu:{self._core.name}",
            folder=self._folder,
            environment={},
        )

    def pin(self, cores: str) -> str:
        raise InputError(
            "an emulated core is one core", where="--cores", hint="leave out --cores for it"
        )

    def facts(self) -> Facts:
        return {
            "name": f"qemu:{self._core.name}",
            "cores": 1,
            "core_names": {self._core.name: 1},
            "system": self._version,
        }

    def state(self) -> Facts:
        return {}


def plugin_argument(core: Core, out: str) -> str:
    """Of `qemu -plugin`: the counter, with the caches of all models that the core's code is for."""
    caches = [f"caches={text}" for text in hierarchies(core)]
    return ",".join([f"file={build_product(COUNTER)}", f"out={out}", *caches])


def find_qemu() -> tuple[str, str]:
    """Path and version of an emulator that takes the counter.

    Raises:
        RuntimeMissingError: there is none, it is too new, or it was built without plugins.
    """
    path = shutil.which(QEMU)
    if path is None:
        raise _no_emulator(f"{QEMU} is not installed")
    shown = run_command([path, "--version"], timeout_s=60, where=QEMU).out.partition("\n")[0]
    number = re.search(r"version (\d+)", shown)
    if number is None or int(number[1]) >= FIRST_VERSION_WITHOUT_OUR_PLUGINS:
        raise _no_emulator(f"the counter is for QEMU 4.2 to 8.2, this is: {shown}")
    if "-plugin" not in run_command([path, "--help"], timeout_s=60, where=QEMU).out:
        raise _no_emulator(f"{path} takes no plugins")
    return path, shown.partition(" (")[0]


def _no_emulator(what: str) -> RuntimeMissingError:
    return RuntimeMissingError(what, where=QEMU, hint="on Debian 12: apt install qemu-user")
