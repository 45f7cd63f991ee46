"""Pictures, and the digests of what Python resizes them to."""

import hashlib
import json
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import numpy as np
from PIL import Image
from placeholder_bundle import write_bundle

from capexport.runtime.image import read_picture
from capexport.spec.image import BICUBIC, BILINEAR, ImageSpec

ORIENTATION = 0x0112
SIZES = ((1, 1), (1, 7), (5, 1), (2, 3), (37, 23), (64, 64), (31, 400), (333, 97))
"""Width and height."""
SPECS = (
    ImageSpec(1, 1, 1),
    ImageSpec(7, 5, 11),
    ImageSpec(32, 32, 36, BICUBIC),
    ImageSpec(33, 20, None, BICUBIC),
    ImageSpec(24, 40, None, BILINEAR),
)


def write(folder: Path) -> None:
    """pictures.json, the pixels that it names, and a bundle that takes pictures."""
    cases = list(_cases(folder))
    (folder / "pictures.json").write_text(json.dumps(cases))
    write_bundle(folder / "pictures_bundle", image=ImageSpec(2, 3, 3))


def _cases(folder: Path) -> Iterator[dict[str, object]]:
    random = np.random.default_rng(0)
    orientations = cycle(range(10))
    for number, (width, height) in enumerate(SIZES):
        rgba = random.integers(0, 256, (height, width, 4), dtype=np.uint8)
        rgba[:, : width // 2, 3] = 255
        file = f"picture{number}.argb"
        (folder / file).write_bytes(np.roll(rgba, 1, axis=2).tobytes())
        for spec in SPECS:
            orientation = next(orientations)
            yield {
                "pixels": file,
                "width": width,
                "height": height,
                "orientation": orientation,
                "spec": {
                    "height": spec.height,
                    "width": spec.width,
                    "short_side": spec.short_side or 0,
                    "filter": spec.filter,
                },
                "sha256": _digest(folder / "turned.png", rgba, orientation, spec),
            }


def _digest(file: Path, rgba: np.ndarray, orientation: int, spec: ImageSpec) -> str:
    """Of the pixels that the whole Python path makes of such a file."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    Image.fromarray(rgba).save(file, exif=exif)
    return hashlib.sha256(read_picture(file, spec).pixels.tobytes()).hexdigest()
