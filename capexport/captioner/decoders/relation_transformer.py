"""Object Relation Transformer (Herdade et al., NeurIPS 2019) and ACORT (Tan, Chan and Chuah 2022).

As trained by sparse-image-captioning. ACORT is the same network with fewer weights: projections and
whole layers are shared, and a word is several tokens.
"""

import torch
from torch import nn

from capexport.captioner.box_geometry import NUMBERS, WAVES, BoxGeometry
from capexport.captioner.options import choice, size
from capexport.captioner.region_embedding import RegionEmbedding, region_embedding_shapes
from capexport.captioner.transformer import assembled
from capexport.captioner.transformer_plan import (
    Shapes,
    TransformerPlan,
    Weights,
    below,
    group_sizes,
    shared_plan,
    transformer_shapes,
)
from capexport.checkpoint import Checkpoint
from capexport.spec.signature import REGIONS, CaptionerSignature, TensorSpec


def relation_transformer(checkpoint: Checkpoint) -> tuple[nn.Module, nn.Module, CaptionerSignature]:
    """Encoder, decoder step and signature."""
    plan = shared_plan(checkpoint.config, checkpoint.decoding.max_length)
    weights = checkpoint.tensors
    geometry = _geometry(below(weights, "model.encoder"), plan)
    embed = RegionEmbedding(weights, checkpoint.config)
    inputs = (
        TensorSpec("att", (REGIONS, size(checkpoint.config, "att_feat_size"))),
        TensorSpec("box", (REGIONS, NUMBERS)),
    )
    return assembled(embed, below(weights, "model"), plan, inputs, geometry)


def _geometry(encoder: Weights, plan: TransformerPlan) -> BoxGeometry:
    groups = group_sizes(plan.encoder)
    names = [
        f"layers.{plan.encoder.index(group)}.self_attn.WGs.{head}"
        for group in groups
        for head in range(plan.heads)
    ]
    weight, bias = (
        torch.cat([encoder[f"{name}.{part}"] for name in names]) for part in ("weight", "bias")
    )
    return BoxGeometry(weight, bias, len(groups))


def expected_shapes(checkpoint: Checkpoint) -> Shapes:
    """Every tensor the checkpoint must hold, by the trainer's names."""
    config = checkpoint.config
    plan = shared_plan(config, checkpoint.decoding.max_length)
    no_waves = choice(config, "no_box_trigonometric_embedding", (False, True), False)
    inputs = NUMBERS if no_waves else WAVES
    shapes = transformer_shapes(plan, size(config, "vocab_size"))
    for layer in range(len(plan.encoder)):
        for head in range(plan.heads):
            name = f"encoder.layers.{layer}.self_attn.WGs.{head}"
            shapes |= {f"{name}.weight": (1, inputs), f"{name}.bias": (1,)}
    model = {f"model.{name}": shape for name, shape in shapes.items()}
    return region_embedding_shapes(config, plan.width) | model
