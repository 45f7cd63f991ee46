"""Contenders -> samples: one process each, all in turn within each round."""

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contenders import Contender
from preparing import last_words

from capexport.kernels.build import build

WORKER = Path(__file__).resolve().parent / "worker.py"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class WorkerDied(Exception):
    """The process of a contender ended; the text is why."""


class Worker:
    """A process that opens one model and answers one JSON line for each command."""

    def __init__(self, python: str, plan: dict[str, Any], log: Path) -> None:
        self._log = log
        with log.open("w") as errors:
            self._process = subprocess.Popen(
                [python, str(WORKER), json.dumps(plan)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**os.environ, **ONE_THREAD},
            )

    def ask(self, command: str) -> dict[str, Any]:
        """The answer to a command; WorkerDied when none came."""
        assert self._process.stdin
        assert self._process.stdout
        try:
            print(command, file=self._process.stdin, flush=True)
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise WorkerDied(self._obituary())
        answer: dict[str, Any] = json.loads(line)
        return answer

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _obituary(self) -> str:
        code = self._process.wait()
        return last_words(self._log.read_text(errors="replace"), code)


@dataclass
class Entry:
    """A contender and what is known of it: why it failed, or its worker's facts and samples.

    `samples` has one entry per round: milliseconds by kind, "warm" and "cold".
    """

    contender: Contender
    failure: str | None = None
    worker: Worker | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    samples: list[dict[str, float]] = field(default_factory=list)

    def ask(self, command: str) -> dict[str, Any]:
        """The worker's answer; nothing once it died, and `failure` then says why."""
        if self.worker is None:
            return {}
        try:
            return self.worker.ask(command)
        except WorkerDied as death:
            self.failure = f"{command}: {death}"
            self.worker.stop()
            self.worker = None
            return {}


def start(contender: Contender, python: str, models: Path) -> Entry:
    """A contender with its model open and its outputs compared with torch's."""
    plan = {
        "runner": contender.runner,
        "models": str(models.resolve()),
        "files": contender.files,
        "kernels": str(build(product=contender.kernels)) if contender.kernels else None,
    }
    log = models / f"{contender.files[0].replace('/', '_')}.log"
    entry = Entry(contender, worker=Worker(python, plan, log))
    for command in ("open", "compare", "sizes"):
        entry.facts |= entry.ask(command)
    return entry


def measure(entries: list[Entry], rounds: int) -> None:
    """Fill the entries' samples, then end their processes."""
    for _ in range(rounds):
        for entry in entries:
            entry.samples.append(entry.ask("measure"))
    for entry in entries:
        if entry.worker:
            entry.worker.stop()
