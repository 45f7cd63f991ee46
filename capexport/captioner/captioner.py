"""The loaded model: two torch modules, their signature, and what turns tokens into text."""

from dataclasses import dataclass

from torch import nn

from capexport.spec.decoding import Decoding
from capexport.spec.image import ImageSpec
from capexport.spec.signature import CaptionerSignature
from capexport.spec.vocabulary import Vocabulary


@dataclass(frozen=True, eq=False)
class Captioner:
    """A captioner in the form that is exported.

    Args:
        encoder: `forward(*signature.inputs) -> tuple(*signature.encoder_outputs)`, once per image.
        decoder_step: `forward(*signature.step_inputs) -> tuple(*signature.step_outputs)`.
        signature: names, shapes and dtypes of both.
        vocabulary, decoding: text side of the lineage.
        architecture: name in the table of `capexport.captioner.decoders`.
        image: how a picture becomes the input, when that is an image; None for region features.
        shares_layers: whether the encoder holds layers of the decoder step too.
    """

    encoder: nn.Module
    decoder_step: nn.Module
    signature: CaptionerSignature
    vocabulary: Vocabulary
    decoding: Decoding
    architecture: str
    image: ImageSpec | None = None
    shares_layers: bool = False
