"""Where a bundle is measured: a name such as `host` -> a device that is ready.

One module per way to reach a device; they are the only ones that start processes.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from capexport.bench.devices.adb import Adb
from capexport.bench.devices.host import Host
from capexport.bench.devices.qemu import Qemu
from capexport.bench.devices.remote import Remote
from capexport.bench.devices.ssh import Ssh
from capexport.bench.devices.target import Target
from capexport.errors import InputError

Open = Callable[[str], AbstractContextManager[Target]]


def _host(detail: str) -> AbstractContextManager[Target]:
    if detail:
        raise _unknown(f"host:{detail}")
    return Host()


def _adb(serial: str) -> AbstractContextManager[Target]:
    return Remote(Adb(serial))


def _ssh(host: str) -> AbstractContextManager[Target]:
    return Remote(Ssh(host))


DEVICES: Mapping[str, Open] = {"host": _host, "qemu": Qemu, "adb": _adb, "ssh": _ssh}
"""What stands before the colon -> from what stands behind it, "" for nothing, to the device."""


def open_device(name: str) -> AbstractContextManager[Target]:
    """The device of that name; its folder exists while it is open.

    Raises:
        InputError: there is no such device.
        DeviceError: it cannot be reached.
    """
    kind, _, detail = name.partition(":")
    if kind not in DEVICES:
        raise _unknown(name)
    return DEVICES[kind](detail)


def _unknown(name: str) -> InputError:
    return InputError(
        f"there is no device {name!r}",
        where="device",
        hint=f"choose one of {', '.join(DEVICES)}; `capexport devices` explains them",
    )
