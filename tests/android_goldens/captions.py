"""Captions that the Python runtime makes of exported bundles, for the native side to repeat.

A recurrent captioner and one with caches, packed, from region features; and a static int8 image
encoder, from pictures. Greedy and beam search, both runtimes. The first two are golden checkpoints
of the shared data, since their captions have many words.
"""

from pathlib import Path
from unittest import mock

from checkpoints import write_up_down
from image_nets import images, small_image_encoder
from PIL import Image

from capexport.android.goldens import write_goldens
from capexport.bundle import Bundle
from capexport.export import export
from capexport.runtime import Features, read_features

CAPTIONERS = ("updown_small_s90", "ort_small_s90")
INPUTS = ("synth0", "synth1", "synth4")
"""Of 10, 20 and 1 regions."""


def write(folder: Path, data: Path) -> None:
    """captions.json, the bundles that it names, and their inputs; `data` is the shared data."""
    golden = data / "golden"
    inputs = _inputs(folder, golden / "inputs_synth.npz")
    bundles = [export(golden / name, folder / name, weights="packed") for name in CAPTIONERS]
    bundles.append(_static_pictures(folder))
    write_goldens(bundles, inputs, folder)


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


def _inputs(folder: Path, npz: Path) -> dict[str, Features | Path]:
    """Features of the shared data, and photos that are made here."""
    named = read_features(npz)
    (folder / "photos").mkdir()
    for number, pixels in enumerate(images(3, (23, 31))):
        Image.fromarray(pixels[0].numpy()).save(folder / "photos" / f"{number}.png")
    photos = {file.stem: file for file in sorted((folder / "photos").iterdir())}
    return {**{name: named[name] for name in INPUTS}, **photos}
