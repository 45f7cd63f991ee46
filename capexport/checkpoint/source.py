"""A checkpoint's files by relative name, whether they lie in a folder or in a zip of one."""

import hashlib
import zipfile
from abc import ABC, abstractmethod
from pathlib import Path, PurePosixPath

from capexport.checkpoint.archive import check_directory, opened
from capexport.checkpoint.limits import Limits
from capexport.errors import CheckpointError

WEIGHTS = ".pth"
SAFETENSORS = ".safetensors"
LARGE = (WEIGHTS, SAFETENSORS, ".bin")
"""Suffixes of files of weights, which may be larger than a text."""
CONFIG = "config.json"
ZIP_CLUTTER = "__MACOSX"


class Source(ABC):
    """Reads files whole, bounded by `limits`, and keeps the digest of exactly the bytes it gave.

    Args:
        path: what the user named.
        limits: most bytes per file.
    """

    def __init__(self, path: Path, limits: Limits) -> None:
        self.path, self.limits = path, limits
        self.sha256: dict[str, str] = {}

    @abstractmethod
    def size(self, name: str) -> int | None:
        """Bytes of file `name`, or None when there is no such file."""

    @abstractmethod
    def names(self, suffix: str) -> list[str]:
        """Files of that suffix, none in a folder of its own, sorted."""

    @abstractmethod
    def _read(self, name: str, most: int) -> bytes:
        """The file's bytes, no more than `most`."""

    def where(self, name: str) -> str:
        return f"{self.path}: {name}"

    def read(self, name: str) -> bytes:
        """The file's bytes. CheckpointError when it is missing or larger than its limit."""
        size = self.size(name)
        if size is None:
            raise CheckpointError(
                f"{name} is missing",
                where=str(self.path),
                hint=f"put the trainer's {name} next to the other files of the checkpoint",
            )
        weights = name.endswith(LARGE)
        most = self.limits.weights_bytes if weights else self.limits.text_bytes
        if size > most:
            raise CheckpointError(
                f"{name} has {size} bytes, more than {most}",
                where=str(self.path),
                hint="is this really the trainer's file?",
            )
        data = self._read(name, most)
        self.sha256[name] = hashlib.sha256(data).hexdigest()
        return data


class FolderSource(Source):
    """Files below a folder."""

    def size(self, name: str) -> int | None:
        file = self.path / name
        return file.stat().st_size if file.is_file() else None

    def names(self, suffix: str) -> list[str]:
        return sorted(file.name for file in self.path.glob(f"*{suffix}") if file.is_file())

    def _read(self, name: str, most: int) -> bytes:
        try:
            with (self.path / name).open("rb") as file:
                return file.read(most)
        except OSError as error:
            raise CheckpointError(
                f"{name} cannot be read: {error.strerror}",
                where=str(self.path),
                hint="check the file's permissions",
            ) from error


class ZipSource(Source):
    """Members of a zip, at its top or inside the one folder that it holds; nothing is extracted."""

    def __init__(self, path: Path, limits: Limits) -> None:
        super().__init__(path, limits)
        with opened(path, str(path), "the zip") as archive:
            most = limits.archive_bytes
            members = check_directory(archive, str(path), most_bytes=most, limits=limits)
        files = [member for member in members if not member.is_dir()]
        for member in files:
            _check_name(member.filename, path)
        self._members = _below(_root(files, path), files)

    def size(self, name: str) -> int | None:
        member = self._members.get(name)
        return None if member is None else member.file_size

    def names(self, suffix: str) -> list[str]:
        names = self._members
        return sorted(name for name in names if name.endswith(suffix) and "/" not in name)

    def _read(self, name: str, most: int) -> bytes:
        with (
            opened(self.path, self.where(name), "the zip") as archive,
            archive.open(self._members[name]) as member,
        ):
            return member.read(most)


def _check_name(name: str, path: Path) -> None:
    """Refuse names that leave the folder: nothing is extracted, but such a zip is not honest."""
    parts = PurePosixPath(name).parts
    if name.startswith("/") or ".." in parts or "\\" in name or ":" in name or "\0" in name:
        raise CheckpointError(
            f"the zip has a member whose name leaves its folder: {name!r}",
            where=str(path),
            hint="do not use this file: it was made to overwrite files when unpacked",
        )


def _root(files: list[zipfile.ZipInfo], path: Path) -> str:
    """Prefix of the checkpoint's names: empty, or one folder and a slash."""
    places = [PurePosixPath(file.filename) for file in files]
    folders = {p.parent for p in places if _is_landmark(p.name) and len(p.parts) <= 2}
    roots = sorted(folder.as_posix() for folder in folders if folder.name != ZIP_CLUTTER)
    if len(roots) > 1:
        raise CheckpointError(
            f"the zip holds several checkpoints: {', '.join(roots)}",
            where=str(path),
            hint="unpack it and pass one of the folders",
        )
    return "" if not roots or roots[0] == "." else roots[0] + "/"


def _is_landmark(name: str) -> bool:
    """Whether only the folder of a checkpoint has such a file."""
    return name == CONFIG or (name.startswith("infos_") and name.endswith(".pkl"))


def _below(root: str, files: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    return {f.filename.removeprefix(root): f for f in files if f.filename.startswith(root)}
