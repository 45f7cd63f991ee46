"""A board behind `ssh`, with a key or an agent: nothing here asks for a password."""

import tempfile
from pathlib import Path

from capexport.bench.devices.processes import run_command
from capexport.bench.devices.remote import PUSH_S, QUICK_S
from capexport.bench.devices.target import Outcome
from capexport.errors import DeviceError, InputError

OPTIONS = ("-o", "BatchMode=yes", "-o", "ConnectTimeout=20", "-o", "ServerAliveInterval=15")
LOST = 255
"""ssh's exit status for a failure of its own."""


class Ssh:
    """The shell of one host.

    Args:
        host: as ssh takes it: [user@]name, or an entry of ~/.ssh/config, which also has the port.

    Raises:
        InputError: no host, or what ssh would take for an option.
    """

    def __init__(self, host: str) -> None:
        if not host or host.startswith("-"):
            raise InputError(
                f"{host!r} is no host", where="device", hint="use --device ssh:[USER@]HOST"
            )
        self._host = host

    @property
    def name(self) -> str:
        return f"ssh:{self._host}"

    def run(self, command: str, timeout_s: float) -> Outcome:
        ssh = ["ssh", *OPTIONS, self._host, "--", command]
        return self._checked(run_command(ssh, timeout_s=timeout_s, where=self.name))

    def send(self, file: Path, path: str) -> None:
        self._copy(str(file), f"{self._host}:{path}")

    def fetch(self, path: str) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder, "copy")
            self._copy(f"{self._host}:{path}", str(copy))
            return copy.read_bytes()

    def make_folder(self) -> str:
        outcome = self.run("mktemp -d", QUICK_S)
        if outcome.status != 0 or not outcome.out.startswith("/"):
            raise self._failure(f"no folder can be made: {outcome.err.strip()}")
        return outcome.out.strip()

    def model(self) -> str | None:
        return None  # /proc/device-tree/model, which is read with the other files

    def _copy(self, source: str, target: str) -> None:
        command = ["scp", "-q", *OPTIONS, source, target]
        outcome = run_command(command, timeout_s=PUSH_S, where=self.name)
        if outcome.status != 0:
            raise self._failure(f"scp failed: {outcome.err.strip()}")

    def _checked(self, outcome: Outcome) -> Outcome:
        if outcome.status == LOST:
            raise self._failure(f"ssh failed: {outcome.err.strip()}")
        return outcome

    def _failure(self, what: str) -> DeviceError:
        return DeviceError(
            what, where=self.name, hint=f"`ssh {self._host} true` must work without a question"
        )
