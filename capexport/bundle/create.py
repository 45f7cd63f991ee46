"""Manifest and file contents -> a bundle folder, whole or not at all."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from capexport.bundle.bundle import Bundle
from capexport.bundle.card import card_text
from capexport.bundle.document import manifest_text, read_manifest, vocabulary_text
from capexport.bundle.layout import CARD, MANIFEST, VOCABULARY, is_plain_name
from capexport.bundle.manifest import BundleFile, Manifest
from capexport.bundle.open import open_bundle
from capexport.errors import BundleError
from capexport.outputs import check_output, whole_folder


def create_bundle(
    out: Path, manifest: Manifest, files: Mapping[str, bytes], *, force: bool
) -> Bundle:
    """Write a bundle and verify it; nothing appears at `out` before it is whole.

    The same arguments give the same bytes: no time stamps, no paths, sorted keys.

    Args:
        out: folder to create; its parent must exist.
        manifest: description with `files` empty.
        files: contents by plain file name: the graph files of `manifest.runtimes`, and card.md
            unless the card made from the manifest will do.
        force: replace a bundle that is at `out` already. It survives when the new one fails.

    Raises:
        BundleError: `out` exists (without force, or is no bundle), or a file cannot be written.
        ValueError: `files` and the manifest do not belong together.
    """
    contents = _contents(manifest, files)
    check_target(out, force=force)
    try:
        with whole_folder(out) as staged:
            for name, data in contents.items():
                (staged / name).write_bytes(data)
            whole = open_bundle(staged)
    except OSError as error:
        raise BundleError(
            f"the bundle cannot be written: {error.strerror}",
            where=str(out),
            hint="check free space and permissions of the parent folder",
        ) from error
    return replace(whole, path=out)


def _contents(manifest: Manifest, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Every file of the bundle by name, the manifest last."""
    if manifest.files or {MANIFEST, VOCABULARY} & set(files):
        raise ValueError("the bundle lists its files and writes its vocabulary by itself")
    if len(manifest.vocabulary) != manifest.signature.vocabulary_size:
        raise ValueError("the vocabulary needs as many tokens as the signature")
    if missing := set(manifest.graph_files) - set(files):
        raise ValueError(f"runtimes {manifest.runtimes} need the files {sorted(missing)}")
    if unsafe := [name for name in files if not is_plain_name(name)]:
        raise ValueError(f"no plain file names: {unsafe}")
    contents = {**files, VOCABULARY: vocabulary_text(manifest.vocabulary)}
    contents.setdefault(CARD, card_text(manifest, contents))
    listed = tuple(
        BundleFile(name, len(data), hashlib.sha256(data).hexdigest())
        for name, data in sorted(contents.items())
    )
    return {**contents, MANIFEST: manifest_text(replace(manifest, files=listed))}


def check_target(out: Path, *, force: bool) -> None:
    """Raise BundleError unless a bundle may be written to `out`: call it before long work."""
    check_output(out, force=force, kind="bundle", is_of_kind=_is_bundle, error=BundleError)


def _is_bundle(folder: Path) -> bool:
    """Whether the folder holds a manifest of ours and nothing that the manifest does not list.

    Its graph files may be damaged. Programs of all kinds keep a manifest.json, so that the name
    alone proves nothing.
    """
    try:
        manifest, _ = read_manifest((folder / MANIFEST).read_bytes(), str(folder))
    except (BundleError, OSError):
        return False
    listed = {MANIFEST, *(file.name for file in manifest.files)}
    return listed.issuperset(entry.name for entry in folder.iterdir())
