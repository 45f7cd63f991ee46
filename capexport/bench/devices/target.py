"""What every device is reduced to: a folder, programs that run there, and facts about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

Kind = Literal["measured-host", "emulated-counts", "measured-device"]
"""What the numbers of a device are; reports of two kinds are never compared."""
HOST: Kind = "measured-host"
EMULATED: Kind = "emulated-counts"
DEVICE: Kind = "measured-device"

Tells = Literal["times", "counts", "memory"]
"""What of a round on a device is reported, beside the caption."""
TIMES: Tells = "times"
COUNTS: Tells = "counts"
MEMORY: Tells = "memory"

Facts = Mapping[str, Any]
"""JSON values by name; what cannot be read is absent."""


@dataclass(frozen=True)
class Outcome:
    """What became of a program: its exit status and what it wrote."""

    status: int
    out: str
    err: str


class Target(Protocol):
    """A device with a folder of our own. Every method raises DeviceError where the device fails."""

    @property
    def kind(self) -> Kind: ...

    @property
    def tells(self) -> Tells: ...

    @property
    def build_target(self) -> str:
        """What its programs and libraries are built for, by the names of `kernels.TARGETS`."""
        ...

    def runtime_library(self, runtime: str) -> Path:
        """The runtime's shared library for the device, as a file on this machine.

        Raises:
            RuntimeMissingError: there is none.
        """
        ...

    def push(self, files: Mapping[str, Path]) -> None:
        """Put files of this machine into the folder, under plain names."""
        ...

    def pull(self, name: str) -> bytes:
        """The contents of a file in the folder."""
        ...

    def run(self, program: str, arguments: Sequence[str], timeout_s: float) -> Outcome:
        """Run a program of the folder, which is its working folder."""
        ...

    def pin(self, cores: str) -> str:
        """Let programs run on some cores alone, from now on.

        Args:
            cores: as `topology.core_mask` takes them.

        Returns:
            their mask, hexadecimal.

        Raises:
            InputError: the device cannot be told, or has no such cores.
        """
        ...

    def facts(self) -> Facts:
        """What does not change: name, cores, memory, system."""
        ...

    def state(self) -> Facts:
        """What does change, read before and after each round: load, clocks, temperatures."""
        ...
