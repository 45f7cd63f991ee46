"""Crop and turn a data set's training pictures: views of them for `capexport prune --view`.

    python models/cropped.py DATA OUT SEED

Every training picture of OUT is a random part of DATA's, 60 to 100 % of its area, and half of them
have rows and columns exchanged: what is seen from above has no up. Names stay, so features of OUT
fit the pictures of DATA; other splits are left out.
"""

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from capexport.evaluate.datasets import read_captions, select

SMALLEST = 0.6**0.5
"""Of a part's sides, as a share of the picture's."""


def cropped(data: Path, out: Path, seed: int) -> int:
    """Write the data set; returns its number of images."""
    random = np.random.default_rng(seed)
    records = []
    for image in select(read_captions(data), "train"):
        name = str(image.file.relative_to(data / "images"))
        file = out / "images" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(image.file) as picture:
            part = random_part(picture.convert("RGB"), random)
        part.save(file, "PNG")  # whatever its suffix: a second JPEG would be another picture
        captions = list(image.captions)
        records.append({"set": image.subset, "split": "train", "file": name, "captions": captions})
    (out / "captions.json").write_text(json.dumps({"images": records}))
    return len(records)


def random_part(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    scale = random.uniform(SMALLEST, 1)
    width, height = (int(side * scale) for side in picture.size)
    left = int(random.integers(picture.width - width + 1))
    top = int(random.integers(picture.height - height + 1))
    part = picture.crop((left, top, left + width, top + height))
    return part.transpose(Image.Transpose.TRANSPOSE) if random.random() < 0.5 else part


if __name__ == "__main__":
    source, target, number = sys.argv[1:]
    print(f"{cropped(Path(source), Path(target), int(number))} images in {target}")
