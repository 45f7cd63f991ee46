"""Measure checkpoints of one model as they would be shipped: the tables of models/README.md.

    python models/quality.py --data DATA --encoder WEIGHTS CHECKPOINT...

Each checkpoint becomes a bundle of pictures to captions, its image encoder in static int8 and its
decoder in dynamic int8 unless `--recipe` says otherwise, packed where it is sparse. PyTorch in
float and the bundle in both runtimes caption the test split. The difference is of LiteRT to the
first checkpoint, paired by image.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from capexport.bundle import Bundle
from capexport.checkpoint import read_checkpoint
from capexport.evaluate.comparison import evaluate
from capexport.evaluate.datasets import read_captions, select
from capexport.evaluate.metrics import paired_difference
from capexport.export import RUNTIMES, export

RECIPE = "encoder=static_wi8_ai8,decoder=dynamic_wi8"
DENSE = "dense"
"""Name of a checkpoint that has no zeros to leave out."""
CALIBRATION_PICTURES = 400
"""The first ones to train on; scales of activations are taken from them."""
HEAD = (
    "| checkpoint | zeros | CIDEr-D float | LiteRT int8 | ORT int8 | captions as float |"
    " difference | TFLite MB | ONNX MB | checkpoint MB |"
)


def main() -> None:
    options = _options()
    everything = read_captions(options.data)
    images = select(everything, options.split, options.set)
    print(f"{len(images)} images, greedy search.\n\n{HEAD}\n|{'---|' * (HEAD.count('|') - 1)}")
    first: np.ndarray | None = None
    for path in options.checkpoints:
        with tempfile.TemporaryDirectory() as folder:
            pictures = Path(folder) / "pictures"
            pictures.mkdir()
            for image in select(everything, "train", options.set)[:CALIBRATION_PICTURES]:
                (pictures / image.file.name).symlink_to(image.file.resolve())
            bundle = export(
                path,
                Path(folder) / "bundle",
                recipe=options.recipe,
                weights="dense" if path.name == DENSE else "packed",
                encoder=options.encoder,
                calibration=pictures,
            )
            document = evaluate(bundle, path, images, 1, encoder=options.encoder)
            values = np.array([one["CIDEr-D"] for one in document["captions"]])
            first = values if first is None else first
            print(_row(path, bundle, document, *paired_difference(values, first)), flush=True)


def _row(
    path: Path, bundle: Bundle, document: dict[str, Any], difference: float, error: float
) -> str:
    checkpoint = read_checkpoint(path)
    comparison = document["comparison"]
    sides = [comparison["runtimes"][runtime] for runtime in ("litert", "onnxruntime")]
    same = [f"{s['captions_identical'] / s['captions_total']:.1%}" for s in sides]
    cells = [
        path.name,
        f"{checkpoint.statistics()['sparsity']:.1%}",
        f"{comparison['reference']['CIDEr-D']:.3f}",
        *(f"{side['CIDEr-D']:.3f}" for side in sides),
        " / ".join(same),
        f"{difference:+.3f} ± {error:.3f}",
        *(f"{_bytes(bundle, form) / 1e6:.2f}" for form in RUNTIMES),
        f"{checkpoint.bytes_on_disk / 1e6:.2f}",
    ]
    return f"| {' | '.join(cells)} |"


def _bytes(bundle: Bundle, suffix: str) -> int:
    """Encoder and decoder step in one format."""
    return sum(file.stat().st_size for file in bundle.path.glob(f"*.{suffix}"))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoints", nargs="+", type=Path, metavar="CHECKPOINT")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--recipe", default=RECIPE)
    parser.add_argument("--set", default="ucm")
    parser.add_argument("--split", default="test")
    return parser.parse_args()


if __name__ == "__main__":
    main()
