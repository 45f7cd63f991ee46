"""A seed -> a data set on disk: pictures, captions, and what is in each picture."""

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from capexport.errors import InputError
from capexport.outputs import check_output, whole_folder
from capexport.scenes.grammar import captions
from capexport.scenes.picture import draw
from capexport.scenes.scene import Kind, Scene, Thing, random_scene

CAPTIONS, PICTURES = "captions.json", "images"
CAPTIONS_PER_PICTURE = 5
SUBSET = "scenes"
"""Name of the data set in its file."""


def write_scenes(
    out: Path,
    counts: Mapping[str, int],
    seed: int,
    *,
    force: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> None:
    """Write `captions.json` and `images/SPLIT/NUMBER.png`; the folder appears when it is whole.

    The same arguments give the same scenes, captions and pixels. A scene depends on the seed, its
    split and its number only: a larger set begins with the smaller one.

    Args:
        counts: pictures of each split.
        force: replace a folder that this function wrote; never anything else.

    Raises:
        InputError: `out` exists, or its parent does not.
    """
    out = out.absolute()
    check_output(out, force=force, kind="folder of scenes", is_of_kind=_is_folder_of_scenes)
    with whole_folder(out) as staged:
        records = []
        for split, count in counts.items():
            (staged / PICTURES / split).mkdir(parents=True)
            for number in range(count):
                records.append(_write_one(staged, split, number, seed))
                progress(f"{number + 1} of {count} pictures of {split} drawn")
        text = json.dumps({"images": records}, indent=0, sort_keys=True)
        (staged / CAPTIONS).write_text(text + "\n")


def read_scenes(folder: Path) -> dict[str, Scene]:
    """What is in every picture of a folder of `write_scenes`, by the picture's name.

    Raises:
        InputError: it is no such folder.
    """
    file = folder / CAPTIONS
    try:
        records = json.loads(file.read_bytes())["images"]
        return {record["file"]: _scene(record["scene"]) for record in records}
    except (OSError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise InputError(
            f"this is no folder of scenes: {error!r:.100}",
            where=str(file),
            hint="make one with `capexport scenes --out FOLDER`",
        ) from error


def _write_one(staged: Path, split: str, number: int, seed: int) -> dict[str, Any]:
    rng = random.Random(f"{seed} {split} {number}")
    scene = random_scene(rng)
    name = f"{split}/{number:05}.png"
    draw(scene, rng.getrandbits(32)).save(staged / PICTURES / name)
    return {
        "set": SUBSET,
        "split": split,
        "file": name,
        "captions": captions(scene, CAPTIONS_PER_PICTURE, rng),
        "scene": asdict(scene),
    }


def _scene(values: Mapping[str, Any]) -> Scene:
    return Scene(values["background"], tuple(_things(values["things"])))


def _things(values: list[Mapping[str, Any]]) -> Iterator[Thing]:
    for value in values:
        yield Thing(Kind(*value["kind"]), value["x"], value["y"], value["turn"])


def _is_folder_of_scenes(folder: Path) -> bool:
    return folder.is_dir() and {entry.name for entry in folder.iterdir()} == {CAPTIONS, PICTURES}
