"""A sweep on a real Dask cluster: a scheduler and two workers, each a process with a phone.

The phones are emulated ones behind the real adb (`adb_devices.py`).
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from adb_devices import Network, lack, network

from capexport.bench import read_report

pytest.importorskip("distributed")
FORM = ("dynamic_wi8", "packed")
PATIENCE_S = 300.0
LOST_QUICKLY = """
import sys
import capexport.sweep.cluster as cluster
from capexport.cli import main
cluster.POLL_S, cluster.LOST_S = 0.2, 1.0
sys.exit(main(sys.argv[1:]))
"""


@contextmanager
def dask(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the cluster; whatever it started ends with it."""
    command = [sys.executable, "-m", "dask", *arguments]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        yield process
    finally:
        kill(process)


def kill(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture
def scheduler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Its address."""
    monkeypatch.setenv("DASK_TEMPORARY_DIRECTORY", str(tmp_path))
    file = tmp_path / "scheduler.json"
    options = ["--port", "0", "--no-dashboard", "--host", "127.0.0.1"]
    with dask("scheduler", *options, "--scheduler-file", str(file)):
        end = time.monotonic() + PATIENCE_S
        while not file.exists():
            assert time.monotonic() < end, "no scheduler"
            time.sleep(0.1)
        yield json.loads(file.read_text())["address"]


def worker(scheduler: str, device: str) -> Any:
    options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1"]
    return dask("worker", scheduler, *options, "--resources", f"{device}=1")


@pytest.fixture
def phones(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
    """Names of two devices; adb on the path finds them."""
    if reason := lack():
        pytest.skip(reason)
    with tempfile.TemporaryDirectory() as folder, network(Path(folder)) as made:
        monkeypatch.setenv("PATH", f"{made.folder}/bin", prepend=os.pathsep)
        yield phone(made), phone(made)


def phone(made: Network) -> str:
    return f"adb:{made.boot()}"


def wait_for_workers(scheduler: str, count: int) -> None:
    from distributed import Client

    with Client(scheduler, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=PATIENCE_S)


def sweep(suite: Path, scheduler: str, *, program: str = "") -> "subprocess.Popen[str]":
    start = ["-c", program] if program else ["-m", "capexport"]
    arguments = ["sweep", str(suite), "--out", str(suite.parent / "out"), "--scheduler", scheduler]
    pipe = subprocess.PIPE
    command = [sys.executable, *start, *arguments]
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)


def test_each_worker_measures_on_its_own_device(
    write_suite: Callable[..., Path], phones: tuple[str, str], scheduler: str
) -> None:
    suite = write_suite([*phones, "adb:absent"], FORM)
    with ExitStack() as stack:
        for device in phones:
            stack.enter_context(worker(scheduler, device))
        wait_for_workers(scheduler, 2)
        running = sweep(suite, scheduler)
        shown, errors = running.communicate()
    assert running.returncode == 1, errors
    assert "- small, dynamic_wi8 packed, litert, adb:absent: no worker has it" in shown, errors
    cells = json.loads((suite.parent / "out/sweep.json").read_text())["cells"]
    reports = [read_report(suite.parent / "out" / cell["report"]) for cell in cells[:2]]
    assert [report.device["name"] for report in reports] == list(phones)
    assert all(report.output["as_expected"] for report in reports)
    assert {report.kind for report in reports} == {"measured-device"}


def test_a_worker_that_dies_fails_its_cells(
    write_suite: Callable[..., Path], scheduler: str
) -> None:
    suite = write_suite(["host"], FORM, runs=10**6)
    with worker(scheduler, "host") as dying:
        wait_for_workers(scheduler, 1)
        running = sweep(suite, scheduler, program=LOST_QUICKLY)
        end = time.monotonic() + PATIENCE_S
        while not children(dying.pid):  # the runner
            assert running.poll() is None, running.communicate()
            assert time.monotonic() < end, "nothing runs"
            time.sleep(0.1)
        kill(dying)
        shown, errors = running.communicate()
    assert running.returncode == 1, errors
    assert "litert, host: the worker that had it has gone (host); start a worker" in shown, errors


def children(process: int) -> list[str]:
    """Programs that a process has started and that still run."""
    listed = subprocess.run(
        ["ps", "--ppid", str(process), "-o", "comm="], capture_output=True, text=True, check=False
    )
    return [name for name in listed.stdout.split() if name.startswith("capexport")]
