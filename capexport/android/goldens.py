"""Bundles and inputs -> the captions that Python makes of them, for an app to repeat.

`core/src/golden` of the demo reads them, on a desktop JVM and on a phone.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from capexport.bundle import Bundle
from capexport.runtime import Features, Given, caption, open_session, read_picture
from capexport.runtime.image import read_pixels

FILE = "captions.json"
PARTS = ("att", "fc", "box")
BEAMS = (1, 3)


def write_goldens(
    bundles: Sequence[Bundle], inputs: Mapping[str, Features | Path], folder: Path
) -> None:
    """captions.json into an existing folder, with the inputs as big-endian numbers beside it.

    Each bundle captions the inputs that it takes, in each of its runtimes, greedily and with beams.

    Args:
        inputs: by name; a path is that of a picture.

    Raises:
        CapexportError: as `open_session` and `caption`.
    """
    shapes = {name: _write_input(folder / name, one) for name, one in inputs.items()}
    cases = [case for bundle in bundles for case in _cases(bundle, inputs, shapes)]
    (folder / FILE).write_text(json.dumps(cases))


def _write_input(path: Path, one: Features | Path) -> list[int]:
    """Shape of what was written."""
    if isinstance(one, Features):
        # No bundle that captions features without boxes asks for them.
        box = np.zeros((len(one.att), 4)) if one.box is None else one.box
        for part, array in zip(PARTS, (one.att, one.fc, box), strict=True):
            path.with_name(f"{path.name}.{part}").write_bytes(array.astype(">f4").tobytes())
        return list(one.att.shape)
    return _write_argb(path.with_name(f"{path.name}.argb"), read_pixels(one))


def _write_argb(path: Path, rgb: npt.NDArray[np.uint8]) -> list[int]:
    opaque = np.full((*rgb.shape[:2], 1), 255, np.uint8)
    path.write_bytes(np.concatenate([opaque, rgb], 2).tobytes())
    return list(rgb.shape[:2])


def _cases(
    bundle: Bundle, inputs: Mapping[str, Features | Path], shapes: Mapping[str, list[int]]
) -> Iterator[dict[str, object]]:
    for runtime in bundle.manifest.runtimes:
        session = open_session(bundle, runtime)
        for name, one in inputs.items():
            if (given := _given(bundle, one)) is None:
                continue
            for beam in BEAMS:
                found = caption(session, given, beam)
                yield {
                    "bundle": bundle.path.name,
                    "runtime": runtime,
                    "input": name,
                    "shape": shapes[name],
                    "beam": beam,
                    "tokens": found.tokens,
                    "log_prob": found.log_prob,
                    "text": found.text,
                }


def _given(bundle: Bundle, one: Features | Path) -> Given | None:
    """The input as the bundle takes it; None where it takes inputs of the other kind."""
    image = bundle.manifest.image
    if isinstance(one, Path):
        return None if image is None else read_picture(one, image)
    return one if image is None else None
