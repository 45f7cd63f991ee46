"""Captions that the Python runtime makes of exported bundles, for the native side to repeat.

A recurrent captioner and one with caches, packed, from region features; and a static int8 image
encoder, from pictures. Greedy and beam search, both runtimes. The first two are golden checkpoints
of the shared data, since their captions have many words.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from unittest import mock

import numpy as np
from checkpoints import write_up_down
from image_nets import SMALL_IMAGE, images, small_image_encoder
from PIL import Image

from capexport.bundle import Bundle
from capexport.export import export
from capexport.runtime import RUNTIMES, Features, Picture, caption, open_session, read_features
from capexport.runtime.image import read_picture

CAPTIONERS = ("updown_small_s90", "ort_small_s90")
INPUTS = ("synth0", "synth1", "synth4")
"""Of 10, 20 and 1 regions."""
BEAMS = (1, 3)
PARTS = ("att", "fc", "box")


def write(folder: Path, data: Path) -> None:
    """captions.json, the bundles that it names, and their inputs; `data` is the shared data."""
    golden = data / "golden"
    given = {**_features(folder, golden / "inputs_synth.npz"), **_pictures(folder)}
    bundles = [export(golden / name, folder / name, weights="packed") for name in CAPTIONERS]
    bundles.append(_static_pictures(folder))
    cases = [case for bundle in bundles for case in _cases(bundle, given)]
    (folder / "captions.json").write_text(json.dumps(cases))


def _static_pictures(folder: Path) -> Bundle:
    checkpoint = write_up_down(folder / "pictures_checkpoint")
    encoder = small_image_encoder()
    recipe = "encoder=static_wi8_ai8,decoder=dynamic_wi8"
    with mock.patch("capexport.export.read_image_encoder", return_value=encoder):
        return export(
            checkpoint,
            folder / "pictures",
            recipe=recipe,
            weights="packed",
            encoder="small",
            calibration=folder / "photos",
        )


def _features(folder: Path, npz: Path) -> dict[str, Features]:
    """Their arrays are written as float32 big-endian files NAME.att and so on."""
    named = {name: one for name, one in read_features(npz).items() if name in INPUTS}
    for name, features in named.items():
        for part in PARTS:
            array = np.asarray(getattr(features, part))
            (folder / f"{name}.{part}").write_bytes(array.astype(">f4").tobytes())
    return named


def _pictures(folder: Path) -> dict[str, Picture]:
    """Their pixels are written as NAME.argb."""
    (folder / "photos").mkdir()
    named = {}
    for number, pixels in enumerate(images(3, (23, 31))):
        rgb = pixels[0].numpy()
        file = folder / "photos" / f"{number}.png"
        Image.fromarray(rgb).save(file)
        opaque = np.full((*rgb.shape[:2], 1), 255, np.uint8)
        (folder / f"{file.stem}.argb").write_bytes(np.concatenate([opaque, rgb], 2).tobytes())
        named[file.stem] = read_picture(file, SMALL_IMAGE)
    return named


def _cases(bundle: Bundle, given: Mapping[str, Features | Picture]) -> Iterator[dict[str, object]]:
    kind = Features if bundle.manifest.image is None else Picture
    for runtime in RUNTIMES:
        session = open_session(bundle, runtime)
        for name, one in given.items():
            for beam in BEAMS:
                if not isinstance(one, kind):
                    continue
                found = caption(session, one, beam)
                yield {
                    "bundle": bundle.path.name,
                    "runtime": runtime,
                    "input": name,
                    "shape": list(one.att.shape if isinstance(one, Features) else (23, 31)),
                    "beam": beam,
                    "tokens": found.tokens,
                    "log_prob": found.log_prob,
                    "text": found.text,
                }
