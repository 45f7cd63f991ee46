"""Write models/MODEL/golden.json: captions that PyTorch and an int8 bundle give to a few pictures.

python tests/shipped_models.py ENCODER CAPTIONS MODEL CHECKPOINT

PyTorch by every checkpoint of the model, the bundle of CHECKPOINT alone.
"""

import json
import sys
import tempfile
from pathlib import Path

import torch

from capexport.bundle import Bundle
from capexport.captioner import build_captioner, read_image_encoder, with_image_encoder
from capexport.captioner.search import greedy
from capexport.checkpoint import read_checkpoint
from capexport.evaluate.datasets import CaptionedImage, read_captions, select
from capexport.export import export
from capexport.runtime import caption, open_session, read_inputs, read_picture

EVERY = 27
"""Images of the test split from one golden caption to the next: a class has ten. The same eight are
the calibration pictures of the bundle."""


def golden_images(data: Path) -> list[CaptionedImage]:
    return select(read_captions(data), "test", "ucm")[::EVERY]


def checkpoints(model: Path) -> list[Path]:
    return [file.parent for file in sorted(model.glob("*/model.safetensors"))]


def float_captions(checkpoint: Path, encoder: Path, images: list[CaptionedImage]) -> list[str]:
    """By PyTorch, greedily."""
    image_encoder = read_image_encoder(str(encoder))
    captioner = with_image_encoder(build_captioner(read_checkpoint(checkpoint)), image_encoder)
    texts = []
    with torch.no_grad():
        for one in images:
            pixels = torch.from_numpy(read_picture(one.file, image_encoder.image).pixels)
            ids, _ = greedy(captioner, pixels)
            texts.append(captioner.vocabulary.text(ids, captioner.decoding))
    return texts


def int8_bundle(
    checkpoint: Path, encoder: Path, images: list[CaptionedImage], folder: Path
) -> Bundle:
    """Static int8 encoder, packed dynamic int8 decoder."""
    pictures = folder / "pictures"
    pictures.mkdir()
    for one in images:
        (pictures / one.file.name).symlink_to(one.file.resolve())
    return export(
        checkpoint,
        folder / "bundle",
        recipe="encoder=static_wi8_ai8,decoder=dynamic_wi8",
        weights="packed",
        encoder=str(encoder),
        calibration=pictures,
    )


def bundle_captions(bundle: Bundle, runtime: str, images: list[CaptionedImage]) -> list[str]:
    session = open_session(bundle, runtime)
    texts = []
    for one in images:
        (given,) = read_inputs(one.file, bundle.manifest.image).values()
        texts.append(caption(session, given, 1).text)
    return texts


def main() -> None:
    encoder, data, model = (Path(argument) for argument in sys.argv[1:4])
    images = golden_images(data)
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = model / sys.argv[4]
        bundle = int8_bundle(checkpoint, encoder, images, Path(folder))
        golden = {
            "checkpoint": checkpoint.name,
            "images": [one.name for one in images],
            "float": {one.name: float_captions(one, encoder, images) for one in checkpoints(model)},
            "int8": bundle_captions(bundle, "litert", images),
        }
    (model / "golden.json").write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
