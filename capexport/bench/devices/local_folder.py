"""The folder of a device whose programs run on this machine, natively or emulated."""

import shutil
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self


class LocalFolder:
    """What such devices share. A context manager: the folder is gone afterwards."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._folder = Path()

    def __enter__(self) -> Self:
        above = Path(self._open.enter_context(tempfile.TemporaryDirectory()))
        self._folder = above / "folder"
        self._folder.mkdir()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._open.close()

    def push(self, files: Mapping[str, Path]) -> None:
        for name, file in files.items():
            shutil.copy(file, self._folder / name)

    def pull(self, name: str) -> bytes:
        return (self._folder / name).read_bytes()
