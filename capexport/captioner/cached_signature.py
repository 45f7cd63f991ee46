"""The signature of a decoder with one key and one value cache per layer, over an image's tokens."""

from capexport.captioner.vision_transformer import image_input
from capexport.spec.signature import (
    APPENDED,
    BEAMS,
    COUNTED,
    CaptionerSignature,
    StateSpec,
    TensorSpec,
)


def cached_signature(
    *,
    side: int,
    image_tokens: int,
    layers: int,
    heads: int,
    width: int,
    steps: int,
    vocabulary_size: int,
) -> CaptionerSignature:
    """image -> image_keys_0, image_values_0, ... [heads, image_tokens, width / heads], and

    token, position, keys_0, values_0, ... [beams, steps, width], then those of the image ->
    log_probs and the new row of every cache.

    Args:
        side: pixels of the square image.
        steps: the most tokens of a caption, rows of a cache.
    """
    names = [f"{part}_{layer}" for layer in range(layers) for part in ("keys", "values")]
    image_shape = (heads, image_tokens, width // heads)
    return CaptionerSignature(
        inputs=(image_input(side),),
        memory=tuple(TensorSpec(f"image_{name}", image_shape) for name in names),
        states=(
            StateSpec("position", (BEAMS,), "int32", update=COUNTED),
            *(StateSpec(name, (BEAMS, steps, width), update=APPENDED) for name in names),
        ),
        vocabulary_size=vocabulary_size,
    )
