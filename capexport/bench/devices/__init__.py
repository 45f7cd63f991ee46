"""Where a bundle is measured: a name such as `host` -> a device that is ready.

One module per way to reach a device; they are the only ones that start processes.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from capexport.bench.devices.adb import Adb
from capexport.bench.devices.host import Host
from capexport.bench.devices.qemu import Qemu
from capexport.bench.devices.qemu_system import QemuSystem
from capexport.bench.devices.remote import Remote
from capexport.bench.devices.ssh import Ssh
from capexport.bench.devices.target import Target
from capexport.bench.devices.userland import Bionic, Glibc
from capexport.errors import InputError

Open = Callable[[str], AbstractContextManager[Target]]
ADB = "adb"


def _host(detail: str) -> AbstractContextManager[Target]:
    if detail:
        raise _unknown(f"host:{detail}")
    return Host()


def _adb(serial: str, archives: Sequence[Path] = ()) -> AbstractContextManager[Target]:
    phone = Adb(serial)
    return Remote(phone, Bionic(archives) if archives else Glibc())


def _ssh(host: str) -> AbstractContextManager[Target]:
    return Remote(Ssh(host), Glibc())


DEVICES: Mapping[str, Open] = {
    "host": _host,
    "qemu": Qemu,
    "qemu-system": QemuSystem,
    ADB: _adb,
    "ssh": _ssh,
}
"""What stands before the colon -> from what stands behind it, "" for nothing, to the device."""


def open_device(name: str, archives: Sequence[Path] = ()) -> AbstractContextManager[Target]:
    """The device of that name; its folder exists while it is open.

    Args:
        archives: .aar files of runtimes for a phone, whose programs the NDK builds then.

    Raises:
        InputError: there is no such device, or it is no phone and takes no archives.
        RuntimeMissingError: what must be pushed to it was not fetched.
        DeviceError: it cannot be reached.
    """
    kind, _, detail = name.partition(":")
    if kind not in DEVICES:
        raise _unknown(name)
    if not archives:
        return DEVICES[kind](detail)
    if kind != ADB:
        raise InputError(
            f"{name} takes no .aar: its runtimes are those of wheels",
            where="--aar",
            hint="give it with --device adb",
        )
    return _adb(detail, archives)


def _unknown(name: str) -> InputError:
    return InputError(
        f"there is no device {name!r}",
        where="device",
        hint=f"choose one of {', '.join(DEVICES)}; `capexport devices` explains them",
    )
