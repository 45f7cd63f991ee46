"""The folder of an exported region detector: detector.json, and a graph for each runtime."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from capexport.bundle.fields import Fields
from capexport.bundle.image_fields import KEY, image_fields, read_rule
from capexport.bundle.layout import GRAPH_SUFFIXES
from capexport.errors import BundleError
from capexport.outputs import check_output, whole_folder
from capexport.spec.image import ImageSpec

DESCRIPTION = "detector.json"
GRAPH = "regions"
SCHEMA = 1


@dataclass(frozen=True)
class DetectorFolder:
    """A folder whose files were checked.

    Args:
        path: of the folder.
        image: how a picture becomes the input.
        graphs: file of the graph by runtime.
    """

    path: Path
    image: ImageSpec
    graphs: Mapping[str, Path]


def check_detector_target(out: Path, *, force: bool) -> None:
    """Raise BundleError unless `write_detector` could create `out`: before the work, not after."""
    check_output(
        out, force=force, kind="region detector", is_of_kind=_is_detector, error=BundleError
    )


def _is_detector(folder: Path) -> bool:
    ours = {DESCRIPTION, *(GRAPH + suffix for suffix in GRAPH_SUFFIXES.values())}
    return folder.is_dir() and {entry.name for entry in folder.iterdir()} == ours


def write_detector(
    out: Path,
    image: ImageSpec,
    graphs: Mapping[str, bytes],
    provenance: Mapping[str, Any],
    *,
    force: bool = False,
) -> DetectorFolder:
    """Write a folder, whole or not at all; the same arguments give the same bytes.

    Args:
        out: folder to create; its parent must exist.
        graphs: by runtime.
        provenance: JSON values.
        force: replace a region detector that is at `out` already.

    Raises:
        BundleError: `out` exists (without force, or is no detector), or cannot be written.
    """
    check_detector_target(out, force=force)
    files = {GRAPH + GRAPH_SUFFIXES[runtime]: data for runtime, data in graphs.items()}
    description = {
        "schema": SCHEMA,
        **image_fields(image),
        "graphs": {
            runtime: {
                "file": GRAPH + GRAPH_SUFFIXES[runtime],
                "sha256": hashlib.sha256(data).hexdigest(),
            }
            for runtime, data in graphs.items()
        },
        "provenance": dict(provenance),
    }
    files[DESCRIPTION] = (json.dumps(description, indent=2, sort_keys=True) + "\n").encode()
    try:
        with whole_folder(out) as staged:
            for name, data in files.items():
                (staged / name).write_bytes(data)
            open_detector_folder(staged)
    except OSError as error:
        raise BundleError(
            f"the detector cannot be written: {error.strerror}",
            where=str(out),
            hint="check free space and permissions of the parent folder",
        ) from error
    return open_detector_folder(out)


def open_detector_folder(path: Path) -> DetectorFolder:
    """The folder at `path`; BundleError when it is none, or a file is missing or was changed."""
    where = str(path / DESCRIPTION)
    try:
        description = json.loads((path / DESCRIPTION).read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise BundleError(
            "the folder holds no region detector",
            where=where,
            hint="give a folder that `capexport detector` wrote",
        ) from error
    fields = Fields(description, where)
    fields.integer("schema", 1, SCHEMA + 1)
    graphs = {}
    for runtime, entry in fields.named_children("graphs").items():
        if runtime not in GRAPH_SUFFIXES:
            entry.fail(f"there is no runtime {runtime!r}, only {', '.join(GRAPH_SUFFIXES)}")
        entry.expect("file", GRAPH + GRAPH_SUFFIXES[runtime])
        graphs[runtime] = path / entry.text("file")
        if _digest(graphs[runtime]) != entry.text("sha256"):
            entry.fail(f"{graphs[runtime].name} is missing or was changed")
    return DetectorFolder(path, read_rule(fields.child(KEY)), graphs)


def _digest(file: Path) -> str | None:
    if not file.is_file():
        return None
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
