"""Small captioners of several kinds -> bundles of every recipe and weight form, written once."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from checkpoints import UpDownSizes, write_features, write_up_down
from image_nets import images, small_image_encoder
from PIL import Image
from runtime_matrix.captions import INPUTS
from transformer_checkpoints import TransformerSizes, write_transformer

from capexport.export import export

FEATURES = 96
SPARSITY = 0.95
DATA = Path(os.environ.get("CAPEXPORT_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
PRUNED = (
    ("fp32", "dense"),
    ("fp32", "stock-sparse"),
    ("weight_only_wi8", "dense"),
    ("weight_only_wi8", "stock-sparse"),
    ("dynamic_wi8", "dense"),
    ("dynamic_wi8", "stock-sparse"),
    ("dynamic_wi8", "packed"),
)
DENSE = tuple(variant for variant in PRUNED if variant[1] == "dense")
PICTURES = (
    ("fp32", "dense"),
    ("encoder=static_wi8_ai8,decoder=fp32", "dense"),
    ("encoder=static_wi8_ai8,decoder=dynamic_wi8", "dense"),
)


def write_bundles(out: Path) -> None:
    """Write OUT/SUBJECT/VARIANT and OUT/SUBJECT/inputs anew."""
    shutil.rmtree(out, ignore_errors=True)
    for subject, write in SUBJECTS.items():
        (out / subject / INPUTS).mkdir(parents=True)
        write(out / subject)


def _up_down(folder: Path) -> None:
    sizes = UpDownSizes(400, 128, 64, 64, FEATURES)
    checkpoint = write_up_down(folder / "checkpoint", sparsity=SPARSITY, sizes=sizes)
    _features(folder)
    _export(checkpoint, folder, PRUNED)


def _relation_transformer(folder: Path) -> None:
    sizes = TransformerSizes(400, 128, 256, 2, 4, FEATURES)
    checkpoint = write_transformer(folder / "checkpoint", sparsity=SPARSITY, sizes=sizes)
    _features(folder)
    _export(checkpoint, folder, PRUNED)


def _trained_att2in(folder: Path) -> None:
    shutil.copy(DATA / "golden" / "inputs_synth.npz", folder / INPUTS)
    _export(DATA / "golden" / "rl_att2in2_small", folder, DENSE)


def _pictures(folder: Path) -> None:
    checkpoint = write_up_down(folder / "checkpoint")
    for number, image in enumerate(images(4, (23, 31))):
        Image.fromarray(image[0].numpy()).save(folder / INPUTS / f"{number}.png")
    encoder = small_image_encoder()
    with mock.patch("capexport.export.read_image_encoder", return_value=encoder):
        _export(checkpoint, folder, PICTURES, encoder="small", calibration=folder / INPUTS)


def _features(folder: Path) -> None:
    write_features(folder / INPUTS / "features.npz", features=FEATURES, region_counts=(1, 7, 36))


def _export(
    checkpoint: Path,
    folder: Path,
    variants: tuple[tuple[str, str], ...],
    encoder: str | None = None,
    calibration: Path | None = None,
) -> None:
    for recipe, weights in variants:
        export(
            checkpoint,
            folder / f"{recipe} {weights}",
            recipe=recipe,
            weights=weights,
            encoder=encoder,
            calibration=calibration if "static" in recipe else None,
        )


SUBJECTS: dict[str, Callable[[Path], None]] = {
    "up_down": _up_down,
    "relation_transformer": _relation_transformer,
    "pictures": _pictures,
}
if DATA.is_dir():  # trained weights, not in the repository
    SUBJECTS["trained_att2in"] = _trained_att2in
