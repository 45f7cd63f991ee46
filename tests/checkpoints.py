"""Sizes and a seed into a small random Up-Down checkpoint in the trainer's own files.

`python tests/checkpoints.py OUT_FOLDER` writes OUT_FOLDER/checkpoint/ and OUT_FOLDER/features.npz.
The weights are random and the words invented: right for parity, meaningless for quality.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice, product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

CONTROL = ("<pad>", "<unk>", "<bos>", "<eos>")
SYLLABLES = ("ba", "de", "fi", "go", "lu", "ma", "ne", "po", "ri", "su")
MASK = "_pruning_mask"
PRUNED_LOGITS = (-4.0, 0.0, -0.0, 1e-9)
"""All of them mean "pruned" to the trainer; only the first looks like it."""
KINDS = tuple(
    f"model_best{kind}{precision}"
    for precision in ("", "_float16")
    for kind in ("", "_bin_mask", "_pruned", "_pruned_sparse")
)
REGION_COUNTS = (1, 5, 10, 36)
LOUDER_LOGITS = 6.0
"""Keeps the best word clear of the second, so that captions can be compared token for token."""
END_BIAS = 1.0
"""Lets some captions end before the length limit."""
MIN_KEPT = 8
"""Elements that survive even in the smallest matrix, so that attention stays alive."""


@dataclass(frozen=True)
class UpDownSizes:
    """Widths of a generated model; the defaults make a model of about 10,000 parameters."""

    vocabulary: int = 60
    rnn: int = 16
    embedding: int = 12
    attention: int = 8
    features: int = 24
    max_length: int = 12


SMALL = UpDownSizes()


def write_up_down(
    folder: Path,
    *,
    kind: str = "model_best_pruned_sparse",
    seed: int = 0,
    sparsity: float = 0.9,
    sizes: UpDownSizes = SMALL,
    prune_type: str = "supermask",
    config: Mapping[str, Any] | None = None,
    pre_1_6: bool = False,
) -> Path:
    """Write config.json, `kind`.pth and tokenizer/word.vocab; returns `folder`.

    One seed gives one model, whatever the kind; call it again to add another kind to a folder.

    Args:
        folder: created when it does not exist.
        kind: one of KINDS. model_best has garbage under the mask and logits of 0, -0.0 and 1e-9.
        seed: of every random number.
        sparsity: share of pruned elements of each 2-D weight.
        sizes: widths of the model.
        prune_type: "supermask" gives masks of logits, any other masks of 0 and 1.
        config: keys of config.json to replace; None removes a key.
        pre_1_6: use torch's older container, which is no zip.
    """
    weights, kept = _up_down_weights(sizes, sparsity, seed)
    state = state_dictionary(kind, weights, kept, logits=prune_type == "supermask")
    merged = {**_config(sizes, prune_type, sparsity), **(config or {})}
    return write_files(folder, kind, state, merged, sizes.vocabulary, pre_1_6=pre_1_6)


def write_files(
    folder: Path,
    kind: str,
    state: Mapping[str, Tensor],
    config: Mapping[str, Any],
    words: int,
    *,
    pre_1_6: bool = False,
) -> Path:
    """The trainer's files of a model with that many words; a key that is None is left out."""
    (folder / "tokenizer").mkdir(parents=True, exist_ok=True)
    zipped = not pre_1_6
    torch.save(state, folder / f"{kind}.pth", _use_new_zipfile_serialization=zipped)
    present = {key: value for key, value in config.items() if value is not None}
    (folder / "config.json").write_text(json.dumps(present, indent=2, sort_keys=True))
    lines = [f"{piece}\t{-number}\n" for number, piece in enumerate(pieces(words))]
    (folder / "tokenizer" / "word.vocab").write_text("".join(lines), encoding="utf-8")
    return folder


def write_features(
    path: Path,
    *,
    seed: int = 0,
    features: int = SMALL.features,
    region_counts: Sequence[int] = REGION_COUNTS,
) -> Path:
    """Write a features file of synthetic images, one per region count; returns `path`.

    Arrays: image<N>.att float32 [regions, features] >= 0, .fc (their mean), .box in [0, 1].
    """
    random = np.random.default_rng(seed)
    arrays: dict[str, Any] = {}
    for number, regions in enumerate(region_counts):
        att = np.maximum(random.normal(0.2, 1.0, (regions, features)), 0).astype(np.float32)
        corners = np.sort(random.random((regions, 2, 2)).astype(np.float32), axis=1)
        name = f"image{number}"
        arrays[f"{name}.att"], arrays[f"{name}.fc"] = att, att.mean(axis=0)
        arrays[f"{name}.box"] = corners.reshape(regions, 4)
    np.savez(path, **arrays)
    return path


def pieces(vocabulary: int) -> list[str]:
    """Control pieces, then invented words with sentencepiece's mark of a word start.

    Two to four syllables make 11,100 words, enough for a model of published size.
    """
    words = ("\u2581" + "".join(word) for n in (2, 3, 4) for word in product(SYLLABLES, repeat=n))
    return [*CONTROL, *islice(words, vocabulary - len(CONTROL))]


def _up_down_weights(
    sizes: UpDownSizes, sparsity: float, seed: int
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """All weights, none of them zero, and for each 2-D weight which elements are kept."""
    generator = torch.Generator().manual_seed(seed)
    weights, kept = {}, {}
    for name, shape in _shapes(sizes).items():
        spread = 0.1
        if len(shape) == 2:
            keep = max(MIN_KEPT, round((1 - sparsity) * shape[0] * shape[1]))
            kept[name] = random_choice(shape, keep, generator)
            # as loud as a dense layer of unit gain, so that captions differ between images
            spread = 2.0 * (shape[0] / keep) ** 0.5
        weights[name] = torch.randn(shape, generator=generator) * spread
    weights["logit.weight"] *= LOUDER_LOGITS
    weights["logit.bias"][CONTROL.index("<eos>")] = END_BIAS
    return weights, kept


def _shapes(sizes: UpDownSizes) -> dict[str, tuple[int, ...]]:
    rnn, words, attention = sizes.rnn, sizes.vocabulary, sizes.attention
    linear = {
        "fc_embed.0": (rnn, sizes.features),
        "att_embed.0": (rnn, sizes.features),
        "logit": (words, rnn),
        "ctx2att": (attention, rnn),
        "core.attention.h2att": (attention, rnn),
        "core.attention.alpha_net": (1, attention),
    }
    shapes: dict[str, tuple[int, ...]] = {"embed.0.weight": (words, sizes.embedding)}
    for name, shape in linear.items():
        shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    inputs = {"core.att_lstm": 2 * rnn + sizes.embedding, "core.lang_lstm": 2 * rnn}
    for name, width in inputs.items():
        shapes |= {f"{name}.weight_ih": (4 * rnn, width), f"{name}.weight_hh": (4 * rnn, rnn)}
        shapes |= {f"{name}.bias_ih": (4 * rnn,), f"{name}.bias_hh": (4 * rnn,)}
    return shapes


def random_choice(shape: tuple[int, ...], count: int, generator: torch.Generator) -> Tensor:
    """Boolean of `shape`, true at `count` random places."""
    places = torch.randperm(shape[0] * shape[1], generator=generator)[:count]
    chosen = torch.zeros(shape[0] * shape[1], dtype=torch.bool)
    chosen[places] = True
    return chosen.view(shape)


def state_dictionary(
    kind: str, weights: dict[str, Tensor], kept: dict[str, Tensor], *, logits: bool
) -> dict[str, Tensor]:
    """The state dictionary that the trainer saves as `kind`."""
    if kind not in KINDS:
        raise ValueError(f"{kind} is none of {KINDS}")
    base = kind.removesuffix("_float16").removeprefix("model_best")
    state = dict(weights)
    for name, keep in kept.items():
        if base:  # the plain file keeps the garbage under the mask
            state[name] = weights[name] * keep
        if base == "_pruned_sparse":
            state[name] = _uncoalesced(state[name])
        elif base != "_pruned":
            state[name + MASK] = _logits(keep) if logits and not base else keep.float()
    half = kind.endswith("_float16")
    return {name: tensor.half() for name, tensor in state.items()} if half else state


def _logits(keep: Tensor) -> Tensor:
    traps = torch.tensor(list(islice(cycle(PRUNED_LOGITS), keep.numel()))).view(keep.shape)
    return torch.where(keep, 5.0, traps)


def _uncoalesced(matrix: Tensor) -> Tensor:
    """COO as the trainer's files have it: sorted, but not flagged so."""
    coo = matrix.to_sparse()
    return torch.sparse_coo_tensor(
        coo.indices(), coo.values(), coo.shape, check_invariants=True, is_coalesced=False
    )


def _config(sizes: UpDownSizes, prune_type: str, sparsity: float) -> dict[str, Any]:
    """The trainer's keys that describe the model; those of the training run are left out."""
    return {
        **control_tokens(),
        "version": "0.4.0",
        "caption_model": "up_down_lstm_prune",
        "prune_type": prune_type,
        "prune_sparsity_target": sparsity,
        "tokenizer": "word",
        "vocab_size": sizes.vocabulary,
        "max_seq_length": sizes.max_length,
        "beam_size_test": 2,
        "beam_size_val": 1,
        "rnn_size": sizes.rnn,
        "input_encoding_size": sizes.embedding,
        "att_hid_size": sizes.attention,
        "att_feat_size": sizes.features,
        "fc_feat_size": sizes.features,
        "logit_layers": 1,
        "drop_prob_lm": 0.1,
        "seed": 0,
    }


def control_tokens() -> dict[str, Any]:
    """The configuration's names and ids of the control pieces."""
    return {
        f"{name.strip('<>')}_token{key}": value
        for number, name in enumerate(CONTROL)
        for key, value in (("", name), ("_id", number))
    }


def main(arguments: list[str]) -> int:
    """Write the demo's checkpoint and inputs."""
    if len(arguments) != 1:
        print("usage: python tests/checkpoints.py OUT_FOLDER", file=sys.stderr)
        return 2
    out = Path(arguments[0])
    print(write_up_down(out / "checkpoint"))
    print(write_features(out / "features.npz"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
