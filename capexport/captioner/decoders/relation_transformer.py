"""Object Relation Transformer (Herdade et al., NeurIPS 2019) and ACORT (Tan, Chan and Chuah 2022).

As trained by sparse-image-captioning. ACORT is the same network with fewer weights: projections and
whole layers are shared, and a word is several tokens.
"""

import torch
from torch import nn

from capexport.captioner.blocks import Linear
from capexport.captioner.box_geometry import NUMBERS, WAVES, BoxGeometry
from capexport.captioner.decoders.transformer import assembled
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
    plan = shared_plan(checkpoint.config)
    weights = checkpoint.tensors
    geometry = _geometry(below(weights, "model.encoder"), plan)
    embed = Linear(weights["att_embed.0.weight"], weights["att_embed.0.bias"])
    inputs = (
        TensorSpec("att", (REGIONS, checkpoint.config["att_feat_size"])),
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
    plan = shared_plan(config)
    inputs = NUMBERS if config["no_box_trigonometric_embedding"] else WAVES
    shapes = transformer_shapes(plan, config["vocab_size"])
    for layer in range(len(plan.encoder)):
        for head in range(plan.heads):
            name = f"encoder.layers.{layer}.self_attn.WGs.{head}"
            shapes |= {f"{name}.weight": (1, inputs), f"{name}.bias": (1,)}
    return {
        "att_embed.0.weight": (plan.width, config["att_feat_size"]),
        "att_embed.0.bias": (plan.width,),
        **{f"model.{name}": shape for name, shape in shapes.items()},
    }
