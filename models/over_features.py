"""Choose between checkpoints: their float captions over stored features, without a bundle.

    python models/over_features.py DATA --features FILE [--int8 FILE] [--split SPLIT] CHECKPOINT...

FILE is written by `capexport features`, the one of `--int8` with `--calibration`. The float
captioner says over both what it would say behind a float and behind an int8 image encoder. The
difference is of CIDEr-D over FILE to the first checkpoint, paired by image.

With `models/flipped.py DATA OUT SET val` the validation photos are seen with their mirror images.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from capexport.captioner import build_captioner
from capexport.captioner.search import greedy
from capexport.checkpoint import Checkpoint, read_checkpoint
from capexport.evaluate.datasets import CaptionedImage, read_captions, select
from capexport.evaluate.metrics import cider, paired_difference
from capexport.prune.features import stored_features

HEAD = "| checkpoint | zeros | CIDEr-D | of int8 features | same captions | difference |"


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    torch.set_num_threads(1)
    images = select(read_captions(options.data), options.split, options.set)
    references = {one.name: one.captions for one in images}
    print(f"{len(images)} images, greedy search.\n\n{HEAD}\n|{'---|' * (HEAD.count('|') - 1)}")
    first: np.ndarray | None = None
    for path in options.checkpoints:
        checkpoint = read_checkpoint(path)
        texts = captions(checkpoint, images, options.features)
        scores = cider(texts, references)
        first = scores if first is None else first
        int8 = ["", ""]
        if options.int8 is not None:
            others = captions(checkpoint, images, options.int8)
            same = sum(texts[name] == others[name] for name in texts) / len(texts)
            int8 = [f"{cider(others, references).mean():.3f}", f"{same:.1%}"]
        difference, error = paired_difference(scores, first)
        zeros = f"{checkpoint.statistics()['sparsity']:.1%}"
        cells = [path.name, zeros, f"{scores.mean():.3f}", *int8]
        print(f"| {' | '.join(cells)} | {difference:+.3f} ± {error:.3f} |", flush=True)


def captions(
    checkpoint: Checkpoint, images: Sequence[CaptionedImage], features: Path
) -> dict[str, str]:
    """What the float captioner says of each image, greedily, by the image's name."""
    captioner = build_captioner(checkpoint)
    inputs = stored_features(images, features, captioner).values()
    texts = {}
    with torch.no_grad():
        for image, *given in zip(images, *inputs, strict=True):
            ids, _ = greedy(captioner, *given)
            texts[image.name] = captioner.vocabulary.text(ids, captioner.decoding)
    return texts


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("checkpoints", nargs="+", type=Path, metavar="CHECKPOINT")
    parser.add_argument("--features", type=Path, required=True)
    parser.add_argument("--int8", type=Path)
    parser.add_argument("--set", default="ucm")
    parser.add_argument("--split", default="val")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
