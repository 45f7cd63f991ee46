"""A plan and weights into the two graphs of a transformer captioner and their signature."""

from torch import nn

from capexport.captioner.box_geometry import BoxGeometry
from capexport.captioner.transformer_encoder import TransformerEncoder
from capexport.captioner.transformer_plan import TransformerPlan, Weights, shared_layers_differ
from capexport.captioner.transformer_step import TransformerStep
from capexport.errors import CheckpointError
from capexport.spec.signature import (
    BEAMS,
    COUNTED,
    CaptionerSignature,
    StateSpec,
    TensorSpec,
)


def assembled(
    embed: nn.Module,
    weights: Weights,
    plan: TransformerPlan,
    inputs: tuple[TensorSpec, ...],
    geometry: BoxGeometry | None = None,
) -> tuple[nn.Module, nn.Module, CaptionerSignature]:
    """Encoder, decoder step and signature.

    Args:
        embed: att [regions, features] -> [regions, width].
        weights: below the trainers' `model.`.
        inputs: of the encoder.

    Raises:
        CheckpointError: layers that should be one differ.
    """
    for side, groups in (("encoder", plan.encoder), ("decoder", plan.decoder)):
        if name := shared_layers_differ(weights, side, groups):
            raise CheckpointError(
                "two layers differ that share their weights by the configuration",
                where=name,
                hint="take the weights and the configuration from the same training run",
            )
    signature = CaptionerSignature(
        inputs=inputs,
        memory=plan.memory,
        states=(StateSpec("position", (BEAMS,), "int32", update=COUNTED), *plan.caches),
        vocabulary_size=weights["generator.proj.weight"].shape[0],
    )
    encoder = TransformerEncoder(embed, weights, plan, geometry)
    return encoder, TransformerStep(weights, plan), signature
