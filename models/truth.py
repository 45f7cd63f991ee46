"""Measure checkpoints of drawn scenes as they would be shipped: the table of models/scenes.

    python models/truth.py --data SCENES CHECKPOINT...

SCENES is what `capexport scenes` wrote. A caption is true when its words parse and all of it holds
of what was drawn; complete when it names everything as well. PyTorch in float and the int8
bundle in both runtimes caption the test split, greedily.
"""

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from capexport.bundle import Bundle
from capexport.checkpoint import Checkpoint, read_checkpoint
from capexport.evaluate.comparison import evaluate
from capexport.evaluate.datasets import CaptionedImage, read_captions, select
from capexport.export import RUNTIMES, export
from capexport.scenes import judge, read_scenes

RECIPE = "encoder=static_wi8_ai8,decoder=dynamic_wi8"
HEAD = "| checkpoint | zeros | captions by | true | complete | CIDEr-D | captions as float | MB |"


def main() -> None:
    options = _options()
    images = select(read_captions(options.data), "test")
    print(f"{len(images)} pictures, greedy search.\n\n{HEAD}\n|{'---|' * (HEAD.count('|') - 1)}")
    for path in options.checkpoints:
        checkpoint = read_checkpoint(path)
        with tempfile.TemporaryDirectory() as folder:
            bundle = export(
                path,
                Path(folder) / "bundle",
                recipe=RECIPE,
                weights="packed" if checkpoint.statistics()["sparsity"] > 0.5 else "dense",
                calibration=options.data / "images" / "val",
            )
            _print_rows(checkpoint, bundle, images, options.data)


def _print_rows(
    checkpoint: Checkpoint, bundle: Bundle, images: list[CaptionedImage], data: Path
) -> None:
    """A line for PyTorch, and one for each runtime."""
    for number, (form, runtime) in enumerate(RUNTIMES.items()):
        document = evaluate(bundle, checkpoint.path, images, 1, runtime=runtime)
        compared = document["comparison"]
        said = {one["image"]: one["caption"] for one in document["captions"]}
        side = compared["runtimes"][runtime]
        if number == 0:
            by_torch = {one["image"]: one["expected"] for one in side["differences"]}
            cells = [*_truth({**said, **by_torch}, data), f"{compared['reference']['CIDEr-D']:.3f}"]
            _print_row(checkpoint, "PyTorch, float", [*cells, "", _mb(checkpoint.bytes_on_disk)])
        same = f"{side['captions_identical'] / side['captions_total']:.1%}"
        size = sum(file.stat().st_size for file in bundle.path.glob(f"*.{form}"))
        cells = [*_truth(said, data), f"{side['CIDEr-D']:.3f}", same, _mb(size)]
        _print_row(checkpoint, f"{runtime}, int8", cells)


def _print_row(checkpoint: Checkpoint, side: str, cells: list[str]) -> None:
    zeros = f"{checkpoint.statistics()['sparsity']:.0%}"
    print(f"| {' | '.join([checkpoint.path.name, zeros, side, *cells])} |", flush=True)


def _truth(texts: Mapping[str, Any], data: Path) -> list[str]:
    """Shares of captions that are true, and complete."""
    drawn = read_scenes(data)
    verdicts = [judge(text, drawn[name]) for name, text in texts.items()]
    shares = [sum(getattr(v, name) for v in verdicts) for name in ("is_true", "is_complete")]
    return [f"{share / len(verdicts):.1%}" for share in shares]


def _mb(size: int) -> str:
    return f"{size / 1e6:.2f}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoints", nargs="+", type=Path, metavar="CHECKPOINT")
    parser.add_argument("--data", type=Path, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
