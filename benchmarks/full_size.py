"""Captioners of published size, 95 % zeros: what their export takes, and how large the files are.

python benchmarks/full_size.py    prints a Markdown table; some CPU minutes, 1.5 GB of disk

Weights are random, from the generators of the tests: right for sizes and times, meaningless for
captions. Each export is a process of its own: CPU seconds of all its threads, its peak resident
memory. MB are 10^6 bytes of encoder and decoder step together.
"""

import os
import resource
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import numpy as np
import torch
from checkpoints import UpDownSizes, write_up_down
from encoder_weights import random_state
from PIL import Image
from random_checkpoints import random_checkpoint
from trainer_files import write_image_captioning_pytorch
from transformer_checkpoints import FULL_SIZE as TRANSFORMER
from transformer_checkpoints import write_transformer

from capexport.bundle import open_bundle
from capexport.captioner.encoders import ENCODERS, expected_shapes

SPARSITY = 0.95
UP_DOWN = UpDownSizes(10001, 1000, 1000, 512, 2048, 18)
AOA = {
    "rnn_size": 1024,
    "input_encoding_size": 1024,
    "att_hid_size": 512,
    "att_feat_size": 2048,
    "fc_feat_size": 2048,
    "vocab_size": 10370,
    "num_heads": 8,
}
"""The published training script of AoANet."""
ENCODER = "mobilenet_v2"
STATIC = "encoder=static_wi8_ai8,decoder=dynamic_wi8"
PICTURES = 2
SUFFIXES = (".tflite", ".onnx")
MEGABYTE, MEBIBYTE = 1e6, 2**20
COLUMNS = (
    "captioner",
    "10^6 parameters",
    *("export s, dense", "packed"),
    *("peak MiB, dense", "packed"),
    *("dense int8 MB, TFLite / ONNX", "packed MB, TFLite / ONNX"),
)


@dataclass(frozen=True)
class Exported:
    """One export: CPU seconds, peak resident bytes, and bytes of its graphs by suffix."""

    seconds: float
    peak: int
    graphs: dict[str, int]
    parameters: int


def export(checkpoint: Path, out: Path, options: Sequence[str]) -> Exported:
    command = [sys.executable, "-m", "capexport", "export", str(checkpoint), "--out", str(out)]
    silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    process = os.posix_spawn(sys.executable, [*command, *options], os.environ, file_actions=silent)
    _, status, used = os.wait4(process, 0)
    if status:
        raise SystemExit(f"the export of {checkpoint.name} failed")
    manifest = open_bundle(out).manifest
    graphs = {s: sum(f.bytes for f in manifest.files if f.name.endswith(s)) for s in SUFFIXES}
    return Exported(_cpu(used), used.ru_maxrss * 1024, graphs, manifest.provenance["parameters"])


def _cpu(used: resource.struct_rusage) -> float:
    return used.ru_utime + used.ru_stime


# ------------------------------------------------------------ what is exported
def up_down(folder: Path) -> Path:
    return write_up_down(folder, sizes=UP_DOWN, sparsity=SPARSITY)


def relation_transformer(folder: Path) -> Path:
    return write_transformer(folder, sizes=TRANSFORMER, sparsity=SPARSITY)


def aoa(folder: Path, **options: int) -> Path:
    checkpoint = random_checkpoint("aoa", sparsity=SPARSITY, **{**AOA, **options})
    return write_image_captioning_pytorch(folder, checkpoint)


def encoder_options(folder: Path) -> list[str]:
    """A random image encoder and pictures to calibrate it on; neither changes a size."""
    torch.save(random_state(expected_shapes(ENCODER)), folder / "encoder.pth")
    (folder / "pictures").mkdir()
    image, random = ENCODERS[ENCODER].image, np.random.default_rng(0)
    for number in range(PICTURES):
        pixels = random.integers(0, 256, (image.height, image.width, 3), np.uint8)
        Image.fromarray(pixels).save(folder / "pictures" / f"{number}.png")
    return [
        *("--encoder", f"{ENCODER}:{folder / 'encoder.pth'}", "--recipe", STATIC),
        *("--calibration", str(folder / "pictures")),
    ]


# ------------------------------------------------------------ the table
def row(name: str, make: Callable[[Path], Path], options: Sequence[str] = ()) -> str:
    with tempfile.TemporaryDirectory() as temporary:
        checkpoint = make(Path(temporary, "checkpoint"))
        dense, packed = (
            export(checkpoint, Path(temporary, weights), ["--weights", weights, *options])
            for weights in ("dense", "packed")
        )
    both = (dense, packed)
    cells = [name, f"{packed.parameters / 1e6:.1f}"]
    cells += [f"{one.seconds:.0f}" for one in both]
    cells += [f"{one.peak / MEBIBYTE:.0f}" for one in both]
    cells += [" / ".join(f"{size / MEGABYTE:.2f}" for size in one.graphs.values()) for one in both]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}", flush=True)
    print(row("Up-Down", up_down), flush=True)
    print(row("Object Relation Transformer", relation_transformer), flush=True)
    print(row("AoANet", aoa), flush=True)
    width = ENCODERS[ENCODER].channels
    with tempfile.TemporaryDirectory() as temporary:
        options = encoder_options(Path(temporary))
        name = f"AoANet of {width} features, with {ENCODER} in static int8"
        print(row(name, lambda f: aoa(f, att_feat_size=width, fc_feat_size=width), options))


if __name__ == "__main__":
    main()
