"""Stage names -> a spinner on stderr, or nothing when nobody watches."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def stages(shown: bool = True) -> Iterator[Callable[[str], None]]:
    """Give a function to call with the name of each stage as it begins.

    Only a terminal gets the spinner, and it is gone from there when the work is done.
    """
    if not (shown and sys.stderr.isatty()):
        yield _ignore
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    # Without the two redirects rich would send a result printed meanwhile to stderr.
    with Progress(
        *columns,
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    ) as progress:
        task = progress.add_task("starting", total=None)
        yield lambda stage: progress.update(task, description=stage)


def _ignore(stage: str) -> None:
    pass
