"""Random checkpoints in the files that ImageCaptioning.pytorch writes."""

import argparse
import pickle
from pathlib import Path
from typing import Any

import torch

from capexport.checkpoint import Checkpoint

TRAINERS_NAMES = {"up_down_lstm": "updown"}


def write_image_captioning_pytorch(
    folder: Path, checkpoint: Checkpoint, *, append: str = "", protocol: int = 2, **options: Any
) -> Path:
    """Write model<append>.pth and infos_x<append>.pkl; returns `folder`.

    The last word is UNK. `options` replace those of the checkpoint's configuration.
    """
    folder.mkdir(parents=True, exist_ok=True)
    words = [*checkpoint.vocabulary.pieces[1:-1], "UNK"]
    architecture = checkpoint.architecture
    opt = {
        **checkpoint.config,
        "caption_model": TRAINERS_NAMES.get(architecture, architecture),
        "vocab_size": len(words),
        "max_length": checkpoint.decoding.max_length,
        "seq_length": 7,
        **options,
    }
    infos = {
        "iter": 3,
        "vocab": {str(i): word for i, word in enumerate(words, 1)},
        "opt": argparse.Namespace(**opt),
    }
    torch.save(dict(checkpoint.tensors), folder / f"model{append}.pth")
    (folder / f"infos_x{append}.pkl").write_bytes(pickle.dumps(infos, protocol))
    return folder
