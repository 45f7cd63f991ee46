"""Published caption files -> images with their reference captions, in one form."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from capexport.errors import InputError

MOST_BYTES = 1 << 30
"""The captions of COCO are 0.15 GB of JSON; a larger file is none of these."""


@dataclass(frozen=True)
class CaptionedImage:
    """One image and what people said about it.

    Args:
        name: unique in its set.
        file: the picture.
        captions: references as published, at least one.
        split: `train`, `val`, `test`, ...; empty where the format has none.
        subset: data set within a collection; empty where there is one.
    """

    name: str
    file: Path
    captions: tuple[str, ...]
    split: str = ""
    subset: str = ""


def read_captions(path: Path) -> list[CaptionedImage]:
    """All images of a data set, in the order of its file.

    Reads Karpathy's `dataset_*.json`, COCO's `captions_*.json`, a collection's `captions.json`
    (records with `set`, `file`, `split`, `captions`), and Flickr's `*.token*` text. A folder must
    hold exactly one of them. Pictures lie in the file's folder or in `images/` beside it.

    Raises:
        InputError: no such file, an unknown form, a record without caption, a name twice, or a
            file name that leads out of the folder.
    """
    file = _captions_file(path)
    if file.stat().st_size > MOST_BYTES:
        raise _error("the file is too large for captions", file)
    images = list(_flickr(file) if ".token" in file.name else _json(file))
    if not images:
        raise _error("the file lists no image", file)
    names = set()
    for image in images:
        if image.name in names:
            raise _error(f"the image {image.name} is listed twice", file)
        names.add(image.name)
    return images


def select(
    images: Iterable[CaptionedImage], split: str = "", subset: str = ""
) -> list[CaptionedImage]:
    """The images of one split and subset (empty: all); InputError when there are none."""
    images = list(images)
    chosen = [i for i in images if split in ("", i.split) and subset in ("", i.subset)]
    if not chosen:
        have = sorted({f"{i.subset or '-'}/{i.split or '-'}" for i in images})
        raise InputError(
            f"no image is in split {split or 'any'!r} of {subset or 'any set'!r}",
            where="split",
            hint=f"there are (set/split): {', '.join(have)}; --split '' takes all",
        )
    return chosen


def _captions_file(path: Path) -> Path:
    if not path.is_dir():
        if not path.is_file():
            raise _error("there is no such file or folder", path)
        return path
    found = sorted(p for p in path.iterdir() if p.suffix == ".json" or ".token" in p.name)
    if len(found) != 1:
        names = ", ".join(p.name for p in found) or "none"
        raise _error(f"the folder must hold one captions file, it has {names}", path)
    return found[0]


def _json(file: Path) -> Iterable[CaptionedImage]:
    try:
        document = json.loads(file.read_bytes())
        records = document["images"]
        if "annotations" in document:
            return _coco(file, records, document["annotations"])
        read = _karpathy if "sentences" in records[0] else _collection
        return [read(file, record) for record in records]
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise _error(f"the file has no known form: {error!r}", file) from error


def _collection(file: Path, record: Mapping[str, Any]) -> CaptionedImage:
    return _image(file, record["file"], record["captions"], record["split"], record["set"])


def _karpathy(file: Path, record: Mapping[str, Any]) -> CaptionedImage:
    # `restval` are COCO validation images that everyone trains on.
    split = {"restval": "train"}.get(record["split"], record["split"])
    name = "/".join(filter(None, (record.get("filepath", ""), record["filename"])))
    return _image(file, name, [sentence["raw"] for sentence in record["sentences"]], split)


def _coco(
    file: Path, records: Iterable[Mapping[str, Any]], annotations: Iterable[Mapping[str, Any]]
) -> list[CaptionedImage]:
    captions: dict[int, list[str]] = {}
    for annotation in annotations:
        captions.setdefault(annotation["image_id"], []).append(annotation["caption"])
    return [_image(file, r["file_name"], captions.get(r["id"], [])) for r in records]


def _flickr(file: Path) -> Iterable[CaptionedImage]:
    """Lines `picture.jpg#number<TAB>caption`."""
    captions: dict[str, list[str]] = {}
    for number, line in enumerate(file.read_text("utf-8", "replace").splitlines(), 1):
        match = re.fullmatch(r"(.+)#\d+\t(.+)", line)
        if match is None:
            raise _error(f"line {number} is not `picture#number<TAB>caption`", file)
        captions.setdefault(match[1], []).append(match[2])
    return [_image(file, name, texts) for name, texts in captions.items()]


def _image(
    file: Path, name: str, captions: list[str], split: str = "", subset: str = ""
) -> CaptionedImage:
    if not isinstance(captions, list) or not all(isinstance(text, str) for text in captions):
        raise _error(f"the captions of {name} are no list of texts", file)
    texts = tuple(text.strip() for text in captions)
    if not texts or not all(texts):
        raise _error(f"the image {name} has no caption, or an empty one", file)
    picture = Path(name)
    if picture.is_absolute() or ".." in picture.parts:
        raise _error(f"the picture {name!r} leads out of the folder", file)
    folders = (file.parent / "images", file.parent)
    places = (folder / picture for folder in folders)
    return CaptionedImage(
        name, next((p for p in places if p.is_file()), folders[0] / picture), texts, split, subset
    )


def _error(what: str, where: Path) -> InputError:
    hint = "give Karpathy's or COCO's captions JSON, Flickr's .token file, or a captions.json"
    return InputError(what, where=str(where), hint=hint)
