"""This machine as a device: a folder of copies, and one process per round."""

from collections.abc import Sequence
from pathlib import Path

from capexport.bench.devices.libraries import installed_library
from capexport.bench.devices.linux import machine_facts, machine_state
from capexport.bench.devices.local_folder import LocalFolder
from capexport.bench.devices.processes import run_command
from capexport.bench.devices.target import HOST, TIMES, Facts, Kind, Outcome, Tells
from capexport.bench.devices.topology import core_mask
from capexport.errors import DeviceError

NAME = "host"
PROBE_S = 10.0


class Host(LocalFolder):
    """This machine. A context manager: the folder is gone afterwards."""

    kind: Kind = HOST
    tells: Tells = TIMES
    build_target = "host"

    def __init__(self) -> None:
        super().__init__()
        self._pinned: list[str] = []

    def runtime_library(self, runtime: str) -> Path:
        return installed_library(runtime)

    def run(self, program: str, arguments: Sequence[str], timeout_s: float) -> Outcome:
        command = [*self._pinned, str(self._folder / program), *arguments]
        return run_command(command, timeout_s=timeout_s, where=NAME, folder=self._folder)

    def pin(self, cores: str) -> str:
        mask = core_mask(cores, self.facts().get("max_clock_khz", {}))
        tried = run_command(["taskset", mask, "true"], timeout_s=PROBE_S, where=NAME)
        if tried.status:
            raise DeviceError(
                f"cores {mask} cannot be had: {tried.err.strip()[:80]}",
                where=NAME,
                hint="--cores takes a mask of cores that this machine has",
            )
        self._pinned = ["taskset", mask]
        return mask

    def facts(self) -> Facts:
        return {"name": NAME, **machine_facts(read_here)}

    def state(self) -> Facts:
        return machine_state(read_here, self.facts()["cores"])


def read_here(path: str) -> str | None:
    """A file of this machine by its path below the root."""
    try:
        return Path("/", path).read_text(errors="replace")
    except OSError:
        return None
