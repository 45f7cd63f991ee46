"""A captioner -> its two float graphs."""

from collections.abc import Callable

from capexport.captioner import Captioner
from capexport.capture.capture import capture
from capexport.ir.graph import Graph


def capture_graphs(
    captioner: Captioner, progress: Callable[[str], None] = lambda _: None
) -> tuple[Graph, Graph]:
    """The float graphs `encoder` and `decoder_step` of a captioner."""
    signature = captioner.signature
    progress("capturing the encoder")
    encoder = capture(captioner.encoder, "encoder", signature.inputs, signature.encoder_outputs)
    progress("capturing the decoder step")
    step = capture(
        captioner.decoder_step, "decoder_step", signature.step_inputs, signature.step_outputs
    )
    return encoder, step
