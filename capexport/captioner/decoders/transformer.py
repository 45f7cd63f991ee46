"""Transformer (Vaswani et al., 2017) over region features, pre-norm, as two lineages trained it.

sparse-image-captioning keeps it below `core.`, ImageCaptioning.pytorch below `model.`; the network
is the same.
"""

from torch import nn

from capexport.captioner.options import Config, size
from capexport.captioner.region_embedding import RegionEmbedding, region_embedding_shapes
from capexport.captioner.transformer import assembled
from capexport.captioner.transformer_plan import (
    Shapes,
    TransformerPlan,
    below,
    shared_plan,
    transformer_shapes,
)
from capexport.checkpoint import Checkpoint
from capexport.spec.signature import REGIONS, CaptionerSignature, TensorSpec

DEFAULT_HEADS = 8
REGION_EMBEDDING, INSIDE_CORE = "att_embed", "core.src_embed"


def transformer(checkpoint: Checkpoint) -> tuple[nn.Module, nn.Module, CaptionerSignature]:
    """Encoder, decoder step and signature."""
    root, plan = _layout(checkpoint)
    weights = {_plain_name(name): tensor for name, tensor in checkpoint.tensors.items()}
    embed = RegionEmbedding(weights, checkpoint.config)
    inputs = (TensorSpec("att", (REGIONS, size(checkpoint.config, "att_feat_size"))),)
    return assembled(embed, below(weights, root), plan, inputs)


def expected_shapes(checkpoint: Checkpoint) -> Shapes:
    """Every tensor the checkpoint must hold, by the trainer's names."""
    root, plan = _layout(checkpoint)
    embed = region_embedding_shapes(checkpoint.config, plan.width)
    if root == "core":
        embed = {
            name.replace(REGION_EMBEDDING, INSIDE_CORE): shape for name, shape in embed.items()
        }
    shapes = transformer_shapes(plan, size(checkpoint.config, "vocab_size"))
    return embed | {f"{root}.{name}": shape for name, shape in shapes.items()}


def _plain_name(name: str) -> str:
    return name.replace(INSIDE_CORE, REGION_EMBEDDING)


def _layout(checkpoint: Checkpoint) -> tuple[str, TransformerPlan]:
    """What the names of the network begin with, and the plan by that trainer's options."""
    steps = checkpoint.decoding.max_length
    if any(name.startswith("core.") for name in checkpoint.tensors):
        return "core", shared_plan(checkpoint.config, steps)
    return "model", _plan(checkpoint.config, steps)


def _plan(config: Config, steps: int) -> TransformerPlan:
    """Options of ImageCaptioning.pytorch; the newer names go before those of its LSTMs."""
    layers = config.get("num_layers")
    width = config.get("input_encoding_size")
    return TransformerPlan(
        width=size(config, "d_model", width),
        inner=size(config, "d_ff", config.get("rnn_size")),
        heads=size(config, "num_att_heads", DEFAULT_HEADS),
        encoder=tuple(range(size(config, "N_enc", layers))),
        decoder=tuple(range(size(config, "N_dec", layers))),
        share_encoder=None,
        share_decoder=None,
        steps=steps,
    )
