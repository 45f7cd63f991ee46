"""Add mirrored pictures to a data set's training images: what is seen from above has no up.

    python models/flipped.py DATA OUT [SET [SPLIT]]

OUT gets every picture of the set (default: all sets) and, of those to train on (or of another
split), three more: left and right exchanged, up and down exchanged, and both. `capexport` reads it
as it reads DATA.
"""

import json
import shutil
import sys
from pathlib import Path

from PIL import Image, ImageOps

from capexport.evaluate.datasets import CaptionedImage, read_captions

VIEWS = {
    "h": ImageOps.mirror,
    "v": ImageOps.flip,
    "hv": lambda picture: ImageOps.flip(ImageOps.mirror(picture)),
}


def flipped(data: Path, out: Path, subset: str = "", split: str = "train") -> int:
    """Write the data set; returns its number of images."""
    images = [one for one in read_captions(data) if subset in ("", one.subset)]
    (out / "images").mkdir(parents=True)
    records = []
    for number, image in enumerate(images):
        name = f"{number:05}{image.file.suffix}"
        shutil.copyfile(image.file, out / "images" / name)
        records.append(_record(image, name))
        if image.split != split:
            continue
        with Image.open(image.file) as picture:
            upright = ImageOps.exif_transpose(picture).convert("RGB")
        for view, turned in VIEWS.items():
            name = f"{number:05}{view}.png"  # a second JPEG would be another picture
            turned(upright).save(out / "images" / name)
            records.append(_record(image, name))
    (out / "captions.json").write_text(json.dumps({"images": records}))
    return len(records)


def _record(image: CaptionedImage, name: str) -> dict[str, object]:
    captions = list(image.captions)
    return {"set": image.subset, "split": image.split, "file": name, "captions": captions}


if __name__ == "__main__":
    source, target, *rest = sys.argv[1:]
    print(f"{flipped(Path(source), Path(target), *rest)} images in {target}")
