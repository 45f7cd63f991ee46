"""A command -> its outcome; the only place that starts one."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from capexport.bench.devices.target import Outcome
from capexport.errors import DeviceError


def run_command(
    command: Sequence[str | Path],
    *,
    timeout_s: float,
    where: str,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    given: str = "",
) -> Outcome:
    """Run a command of this machine to its end.

    Args:
        where: of an error: the device.
        environment: all of it; None keeps ours.
        given: its standard input.

    Raises:
        DeviceError: it cannot be started, or takes longer than `timeout_s` and was ended.
    """
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            input=given.encode(),
            capture_output=True,
            check=False,
            timeout=timeout_s,
        )
    except subprocess.TimeoutExpired as error:
        raise DeviceError(
            f"{Path(command[0]).name} did not end within {timeout_s:.0f} s",
            where=where,
            hint="look whether the device is busy or asleep, or ask for fewer samples",
        ) from error
    except OSError as error:
        raise DeviceError(
            f"{command[0]} cannot be started: {error.strerror}",
            where=where,
            hint="`capexport devices` shows what is missing",
        ) from error
    out, err = (text.decode(errors="replace") for text in (done.stdout, done.stderr))
    return Outcome(done.returncode, out, err)
