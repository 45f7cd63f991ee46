"""Sizes and a seed into a random Object Relation Transformer or Transformer in its trainer's files.

Shapes are written down here a second time, so that the captioner's own are held against them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from checkpoints import (
    CONTROL,
    END_BIAS,
    LOUDER_LOGITS,
    MIN_KEPT,
    control_tokens,
    random_choice,
    state_dictionary,
    write_files,
)
from torch import Tensor

GEOMETRY = 64
POSITIONS = 5000
SIDES = ("encoder", "decoder")
PROJECTIONS = {None: 4, "kv": 3, "qk": 3}


@dataclass(frozen=True)
class TransformerSizes:
    """Widths of a generated model; the defaults make one of about 20,000 parameters."""

    vocabulary: int = 60
    width: int = 16
    inner: int = 24
    layers: int = 2
    heads: int = 2
    features: int = 24
    max_length: int = 12


SMALL = TransformerSizes()
FULL_SIZE = TransformerSizes(10001, 512, 2048, 6, 8, 2048, 18)
"""The published Object Relation Transformer: 55.4 million parameters."""


def write_transformer(
    folder: Path,
    *,
    relation: bool = True,
    kind: str = "model_best_pruned_sparse",
    seed: int = 0,
    sparsity: float = 0.9,
    sizes: TransformerSizes = SMALL,
    config: Mapping[str, Any] | None = None,
) -> Path:
    """Write config.json, `kind`.pth and tokenizer/word.vocab; returns `folder`.

    Args:
        relation: an Object Relation Transformer; otherwise a plain Transformer, below `core.`.
        config: keys of config.json to replace. Shared projections change the tensors; layers that
            share weights repeat the same tensors, as in the trainer's files.
    """
    merged = {**_config(sizes, relation, sparsity), **(config or {})}
    shapes = dict(_shapes(sizes, relation, merged))
    weights, kept = _weights(shapes, sparsity, seed)
    for side in SIDES:
        for layer, group in enumerate(merged[f"share_layer_{side}"] or ()):
            first = merged[f"share_layer_{side}"].index(group)
            for tensors in (weights, kept):
                _repeat(tensors, f"{side}.layers.{first}.", f"{side}.layers.{layer}.")
    state = state_dictionary(kind, weights, kept, logits=True)
    state[f"{_root(relation)}.tgt_embed.1.pe"] = trainers_table(sizes.width)
    return write_files(folder, kind, state, merged, sizes.vocabulary)


def _root(relation: bool) -> str:
    return "model" if relation else "core"


def _repeat(tensors: dict[str, Tensor], source: str, target: str) -> None:
    for name in [name for name in tensors if source in name]:
        tensors[name.replace(source, target)] = tensors[name]


def _shapes(
    sizes: TransformerSizes, relation: bool, config: Mapping[str, Any]
) -> Iterator[tuple[str, tuple[int, ...]]]:
    root, width = _root(relation), sizes.width
    yield from _linear("att_embed.0" if relation else "core.src_embed.0", width, sizes.features)
    yield f"{root}.tgt_embed.0.lut.weight", (sizes.vocabulary, width)
    yield from _linear(f"{root}.generator.proj", sizes.vocabulary, width)
    for side, attentions in (("encoder", ("self_attn",)), ("decoder", ("self_attn", "src_attn"))):
        yield from _norm(f"{root}.{side}.norm", width)
        for layer in range(sizes.layers):
            name = f"{root}.{side}.layers.{layer}"
            yield from _linear(f"{name}.feed_forward.w_1", sizes.inner, width)
            yield from _linear(f"{name}.feed_forward.w_2", width, sizes.inner)
            for i in range(len(attentions) + 1):
                yield from _norm(f"{name}.sublayer.{i}.norm", width)
            for attention in attentions:
                for i in range(PROJECTIONS[config[f"share_att_{side}"]]):
                    yield from _linear(f"{name}.{attention}.linears.{i}", width, width)
            if relation and side == "encoder":
                for head in range(sizes.heads):
                    yield from _linear(f"{name}.self_attn.WGs.{head}", 1, GEOMETRY)


def _linear(name: str, rows: int, columns: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.weight", (rows, columns)
    yield f"{name}.bias", (rows,)


def _norm(name: str, width: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.a_2", (width,)
    yield f"{name}.b_2", (width,)


def _weights(
    shapes: Mapping[str, tuple[int, ...]], sparsity: float, seed: int
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """All weights, none of them zero, and for each matrix which elements are kept."""
    generator = torch.Generator().manual_seed(seed)
    weights, kept = {}, {}
    for name, shape in shapes.items():
        weights[name] = torch.randn(shape, generator=generator) * 0.1
        if len(shape) == 2:
            keep = max(MIN_KEPT, round((1 - sparsity) * shape[0] * shape[1]))
            kept[name] = random_choice(shape, keep, generator)
            weights[name] *= 10 * (shape[0] / keep) ** 0.5  # unit gain
        elif name.endswith("a_2"):
            weights[name] += 1
    logits = next(name for name in shapes if name.endswith("generator.proj.weight"))
    weights[logits] *= LOUDER_LOGITS
    weights[logits.replace("weight", "bias")][CONTROL.index("<eos>")] = END_BIAS
    return weights, kept


def trainers_table(width: int) -> Tensor:
    """[1, 5000, width]: sine on even columns, cosine on odd ones."""
    frequencies = torch.exp(torch.arange(0, width, 2) * (-torch.log(torch.tensor(1e4)) / width))
    angles = torch.arange(POSITIONS)[:, None] * frequencies
    return torch.stack([angles.sin(), angles.cos()], -1).reshape(1, POSITIONS, width)


def _config(sizes: TransformerSizes, relation: bool, sparsity: float) -> dict[str, Any]:
    """The trainer's keys that describe the model; those of the training run are left out."""
    return {
        **control_tokens(),
        "version": "1.0.0-alpha",
        "caption_model": "relation_transformer_prune" if relation else "transformer",
        "prune_type": "supermask",
        "prune_sparsity_target": sparsity,
        "tokenizer": "word",
        "vocab_size": sizes.vocabulary,
        "max_seq_length": sizes.max_length,
        "beam_size_test": 2,
        "d_model": sizes.width,
        "dim_feedforward": sizes.inner,
        "num_layers": sizes.layers,
        "num_heads": sizes.heads,
        "att_feat_size": sizes.features,
        "no_box_trigonometric_embedding": False,
        **{f"share_{what}_{side}": None for what in ("att", "layer") for side in SIDES},
    }
