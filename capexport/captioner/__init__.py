"""Checkpoint -> captioner: plain torch modules, one file per architecture."""

from capexport.captioner.captioner import Captioner
from capexport.captioner.decoders import ARCHITECTURES
from capexport.captioner.encoders import ImageEncoder, own_image_encoder, read_image_encoder
from capexport.captioner.image_captioner import with_image_encoder
from capexport.captioner.loader_options import with_loader_options
from capexport.checkpoint import Checkpoint
from capexport.errors import CheckpointError, UnsupportedError

__all__ = [
    "ARCHITECTURES",
    "Captioner",
    "ImageEncoder",
    "build_captioner",
    "own_image_encoder",
    "read_image_encoder",
    "with_image_encoder",
]


def build_captioner(checkpoint: Checkpoint) -> Captioner:
    """The checkpoint as two torch modules in eval mode, its own image encoder included.

    Raises:
        UnsupportedError: the architecture, one of its options, or its image encoder is not in the
            table.
        CheckpointError: a tensor is missing, left over, or of another shape than the config says.
    """
    if checkpoint.image_encoder_weights:
        captioner = build_captioner(checkpoint.without_image_encoder())
        return with_image_encoder(captioner, own_image_encoder(checkpoint))
    architecture = ARCHITECTURES.get(checkpoint.architecture)
    if architecture is None:
        raise UnsupportedError(
            f"there is no architecture {checkpoint.architecture!r}",
            where=str(checkpoint.path),
            hint=f"supported: {', '.join(sorted(ARCHITECTURES))}",
        )
    _check_tensors(checkpoint, dict(architecture.expected_shapes(checkpoint)))
    encoder, decoder_step, signature = architecture.build(checkpoint)
    encoder, signature = with_loader_options(encoder, signature, checkpoint.config)
    return Captioner(
        encoder=encoder.eval(),
        decoder_step=decoder_step.eval(),
        signature=signature,
        vocabulary=checkpoint.vocabulary,
        decoding=checkpoint.decoding,
        architecture=checkpoint.architecture,
        image=checkpoint.image,
        shares_layers=architecture.shares_layers,
    )


def _check_tensors(checkpoint: Checkpoint, expected: dict[str, tuple[int, ...]]) -> None:
    where = f"{checkpoint.path}/{checkpoint.weights_file}"
    present = {name: tuple(tensor.shape) for name, tensor in checkpoint.tensors.items()}
    hint = f"is this really a {checkpoint.architecture}? see caption_model in its configuration"
    if missing := sorted(set(expected) - set(present)):
        raise CheckpointError(f"tensor {missing[0]} is missing", where=where, hint=hint)
    if surplus := sorted(set(present) - set(expected)):
        raise CheckpointError(f"tensor {surplus[0]} is not expected", where=where, hint=hint)
    for name, shape in expected.items():
        if present[name] != shape:
            raise CheckpointError(
                f"{name} is {list(present[name])}, the configuration says {list(shape)}",
                where=where,
                hint="the weights and the configuration belong to different models",
            )
