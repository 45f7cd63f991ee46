"""Tasks -> results on a Dask cluster whose workers own the devices as resources.

    dask worker tcp://HOST:8786 --nthreads 2 --resources "adb:SERIAL=1 qemu:cortex-a76=1"

A device is measured by one task at a time, on a worker that has it. Bundles travel with their
tasks, so that no disk need be shared.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

import dask
from distributed import CancelledError, Client, Future, KilledWorker, wait

from capexport.errors import DeviceError
from capexport.sweep.digests import versions
from capexport.sweep.task import Failure, Measure, Result, Task, measured_elsewhere, read_files

CONNECT_S = 10.0
POLL_S = 5.0
LOST_S = 60.0
"""After which a device that no worker has any more is given up: a worker may start again."""

LARGE = {"distributed.admin.large-graph-warning-threshold": "1 GiB"}
"""Dask warns of tasks from 10 MB on, which bundles may have."""

Pending = dict[Future, Task]


@contextmanager
def cluster(address: str) -> Iterator[Measure]:
    """How to measure on the scheduler's workers; what still runs there is ended at the end.

    Raises:
        DeviceError: no scheduler answers at the address.
    """
    try:
        client = Client(address, timeout=CONNECT_S)
    except (OSError, ValueError) as error:
        raise DeviceError(
            f"the scheduler cannot be reached: {error}",
            where=address,
            hint="start `dask scheduler`, and give the address that it prints",
        ) from error
    with client, dask.config.set(LARGE):
        yield _Cluster(client).measure


class _Cluster:
    def __init__(self, client: Client) -> None:
        self._client = client
        self._missing_since: dict[str, float] = {}

    def measure(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Result]]:
        """Results as they come; a device that no worker has is a failure of its tasks."""
        pending: Pending = {}
        try:
            for task in tasks:
                if task.cell.device in self._devices():
                    pending[self._submit(task)] = task
                else:
                    yield task, _no_owner(task, "no worker has it")
                yield from self._finished(pending, 0.0)
            while pending:
                yield from self._finished(pending, POLL_S)
                yield from self._lost(pending)
        finally:
            self._client.cancel(list(pending), force=True)

    def _devices(self) -> set[str]:
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        return {name for worker in workers for name in worker["resources"]}

    def _submit(self, task: Task) -> Future:
        photo = task.cell.photo
        return self._client.submit(
            measured_elsewhere,
            task.cell,
            # With the task, not scattered: what is scattered dies with the worker that holds it.
            read_files(task.bundle),
            photo.read_bytes() if photo else None,
            versions(task.cell.runtime),
            resources={task.cell.device: 1},
            pure=False,  # what was measured before may be measured anew
        )

    def _finished(self, pending: Pending, timeout_s: float) -> Iterator[tuple[Task, Result]]:
        if timeout_s and pending:
            _wait_for_one(pending, timeout_s)
        for future in [future for future in pending if future.done()]:
            yield pending.pop(future), _result_of(future)

    def _lost(self, pending: Pending) -> Iterator[tuple[Task, Result]]:
        there, now = self._devices(), time.monotonic()
        for device in {task.cell.device for task in pending.values()}:
            if device in there:
                self._missing_since.pop(device, None)
            elif now - self._missing_since.setdefault(device, now) > LOST_S:
                for future in [f for f, task in pending.items() if task.cell.device == device]:
                    future.cancel()
                    task = pending.pop(future)
                    yield task, _no_owner(task, "the worker that had it has gone")


def _wait_for_one(pending: Pending, timeout_s: float) -> None:
    with suppress(TimeoutError, CancelledError):  # the caller looks at what became of each
        wait(list(pending), timeout=timeout_s, return_when="FIRST_COMPLETED")


def _result_of(future: Future) -> Result:
    try:
        result: Result = future.result()
    except (KilledWorker, CancelledError) as error:
        return Failure(f"the cluster gave it up: {error}", "the cluster", "look at its logs")
    return result


def _no_owner(task: Task, what: str) -> Failure:
    device = task.cell.device
    return Failure(what, device, f'start a worker with --resources "{device}=1"')
