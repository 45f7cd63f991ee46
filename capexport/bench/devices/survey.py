"""This machine -> which devices can be measured from here, and what the others lack."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from capexport.bench.devices.adb import ADB, READY, attached
from capexport.bench.devices.arm_cores import CORES, MACHINES
from capexport.bench.devices.libraries import LIBRARIES, installed_library
from capexport.bench.devices.parts import ARM64_MACHINE, ARM64_ROOT, ARM64_RUNTIMES, LLVM, PARTS
from capexport.bench.devices.qemu import find_qemu
from capexport.errors import DeviceError, InputError, RuntimeMissingError


@dataclass(frozen=True)
class Surveyed:
    """One device.

    Args:
        name: for `bench --device`.
        ready: at least one runtime can be measured there.
        lacks: what cannot be done there, and what would mend it.
    """

    name: str
    ready: bool
    lacks: tuple[str, ...] = ()


def survey() -> list[Surveyed]:
    """Every device of this machine; an emulator and adb are asked, no host is."""
    return [_host(), *_emulated(), *_phones(), _boards()]


def install(names: list[str]) -> Iterator[str]:
    """Fetch parts by name, `all` for all; yields each name before it is begun.

    Raises:
        InputError: there is no such part.
        RuntimeMissingError: it cannot be fetched here; what was fetched before stays.
    """
    wanted = list(PARTS) if names == ["all"] else names
    if unknown := [name for name in wanted if name not in PARTS]:
        raise InputError(
            f"there is no part {unknown[0]!r}",
            where="--install",
            hint=f"use all, or one of {', '.join(PARTS)}",
        )
    for name in wanted:
        yield name
        PARTS[name].install()


def _host() -> Surveyed:
    missing = [lack for runtime in LIBRARIES if (lack := _lack(_library_of(runtime)))]
    return Surveyed("host", len(missing) < len(LIBRARIES), tuple(missing))


def _library_of(runtime: str) -> Callable[[], object]:
    return lambda: installed_library(runtime)


def _emulated() -> list[Surveyed]:
    emulator, llvm = _lack(find_qemu), _lack(LLVM.needed)
    ready, lacks = _arm64()
    counting = tuple(lack for lack in (emulator, *lacks, llvm) if lack)
    machine = _lack(ARM64_MACHINE.needed)
    whole = tuple(lack for lack in (machine, *lacks) if lack)
    return [
        *(Surveyed(f"qemu:{core}", ready and not emulator, counting) for core in CORES),
        *(Surveyed(f"qemu-system:{core}", ready and not machine, whole) for core in MACHINES),
    ]


def _phones() -> list[Surveyed]:
    """Those that adb lists, or the reason why there is none."""
    if shutil.which(ADB) is None:
        return [Surveyed(ADB, False, ("adb is not installed: on Debian: apt install adb",))]
    try:
        devices = attached()
    except DeviceError as error:
        return [Surveyed(ADB, False, (f"{error.what}: {error.hint}",))]
    if not devices:
        return [Surveyed(ADB, False, ("no device is attached: plug one in, allow debugging",))]
    ready, needed = _arm64()
    found = []
    for serial, state in devices.items():
        lacks = needed if state == READY else [f"the device is {state}", *needed]
        found.append(Surveyed(f"adb:{serial}", ready and state == READY, tuple(lacks)))
    return found


def _boards() -> Surveyed:
    ready, lacks = _arm64()
    if shutil.which("ssh") is None:
        ready, lacks = False, ["ssh is not installed: apt install openssh-client", *lacks]
    return Surveyed("ssh:HOST", ready, tuple(lacks))


def _arm64() -> tuple[bool, list[str]]:
    """Whether any runtime could run on an arm64 device, and what is not there for that."""
    root = _lack(ARM64_ROOT.needed)
    runtimes = [lack for part in ARM64_RUNTIMES.values() if (lack := _lack(part.needed))]
    ready = not root and len(runtimes) < len(ARM64_RUNTIMES)
    return ready, [*([root] if root else []), *runtimes]


def _lack(need: Callable[[], object]) -> str:
    """What is missing and how to mend it; "" where nothing is."""
    try:
        need()
    except RuntimeMissingError as error:
        return f"{error.what}: {error.hint}"
    return ""
