"""A folder -> a Bundle, after every file in it was checked."""

import hashlib
from dataclasses import replace
from pathlib import Path

from capexport.bundle.bundle import Bundle
from capexport.bundle.document import read_manifest, read_pieces
from capexport.bundle.layout import MANIFEST, VOCABULARY, is_plain_name
from capexport.bundle.manifest import BundleFile, Manifest
from capexport.errors import BundleError

AGAIN = "copy or export the bundle again"


def open_bundle(path: Path) -> Bundle:
    """The bundle in the folder `path`.

    Raises:
        BundleError: it is no folder, its manifest is damaged or of a newer schema, or a file is
            missing, changed, surplus, or named so that it would lie outside the folder.
    """
    try:
        return _open(path)
    except OSError as error:
        raise BundleError(
            f"the bundle cannot be read: {error.strerror}",
            where=str(error.filename or path),
            hint="check that the files are readable",
        ) from error


def _open(path: Path) -> Bundle:
    if not path.is_dir():
        what = "is not a folder" if path.exists() else "does not exist"
        raise BundleError(
            f"the bundle {what}", where=str(path), hint="give the folder that holds manifest.json"
        )
    if not (path / MANIFEST).is_file():
        raise BundleError(
            "the folder is no bundle: it has no manifest.json",
            where=str(path),
            hint="give a folder that `capexport export` wrote",
        )
    manifest, size = read_manifest((path / MANIFEST).read_bytes(), str(path))
    _check_names(path, manifest)
    _check_folder(path, manifest)
    for file in manifest.files:
        _check_contents(path, file)
    text = (path / VOCABULARY).read_bytes()
    pieces = read_pieces(text, size, str(path / VOCABULARY), manifest.vocabulary.joining)
    return Bundle(path, replace(manifest, vocabulary=replace(manifest.vocabulary, pieces=pieces)))


def _check_names(path: Path, manifest: Manifest) -> None:
    names = [file.name for file in manifest.files]
    for name in names:
        if not is_plain_name(name):
            raise _error(f"the file name {name!r} leads out of the folder", path / MANIFEST)
        if name == MANIFEST or names.count(name) > 1:
            raise _error(f"the file {name} is listed twice", path / MANIFEST)
    for name in (VOCABULARY, *manifest.graph_files):
        if name not in names:
            raise _error(f"the manifest does not list {name}", path / MANIFEST)


def _check_folder(path: Path, manifest: Manifest) -> None:
    listed = {MANIFEST, *(file.name for file in manifest.files)}
    present = {entry.name: entry for entry in path.iterdir()}
    if missing := sorted(listed - set(present)):
        raise _error(f"the file {missing[0]} is missing", path)
    if surplus := sorted(set(present) - listed):
        raise BundleError(
            f"the file {surplus[0]} does not belong to the bundle",
            where=str(path),
            hint="remove it; a bundle holds only what its manifest lists",
        )
    for entry in present.values():
        if entry.is_symlink() or not entry.is_file():
            raise _error(f"{entry.name} is no plain file", path)


def _check_contents(path: Path, file: BundleFile) -> None:
    size = (path / file.name).stat().st_size
    if size != file.bytes:
        raise _error(f"{file.name} has {size} bytes, not {file.bytes}", path)
    with (path / file.name).open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != file.sha256:
        raise _error(f"{file.name} was changed: its sha256 differs", path)


def _error(what: str, where: Path) -> BundleError:
    return BundleError(what, where=str(where), hint=AGAIN)
