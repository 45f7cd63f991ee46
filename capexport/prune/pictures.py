"""Captioned images -> pixels, and a batch of pixels -> features of an encoder that is trained."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from capexport.captioner.encoders.training import batch_features
from capexport.captioner.image_captioner import grid_boxes
from capexport.checkpoint import Checkpoint
from capexport.evaluate.datasets import CaptionedImage
from capexport.runtime import read_picture
from capexport.spec.image import ImageSpec
from capexport.spec.signature import IMAGE


def picture_inputs(
    images: Sequence[CaptionedImage],
    rule: ImageSpec,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Tensor]:
    """`{"image": uint8 [images, 1, height, width, 3]}`; InputError for one that cannot be read."""
    pixels = torch.empty(len(images), *rule.shape, dtype=torch.uint8)
    for number, image in enumerate(images):
        pixels[number] = torch.from_numpy(read_picture(image.file, rule).pixels)
        progress(f"{number + 1} of {len(images)} pictures read")
    return {IMAGE: pixels}


def encoded(checkpoint: Checkpoint, inputs: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """What the captioner of features reads; `inputs` themselves where there is no image encoder.

    Args:
        inputs: pixels as `picture_inputs` gives them.

    Returns:
        att [images, cells, channels], fc [images, 1, channels], box [images, cells, 4],
        differentiable in the weights of the checkpoint's own image encoder.
    """
    if not checkpoint.image_encoder_weights:
        return inputs
    assert checkpoint.image_encoder is not None
    weights, pixels = checkpoint.image_encoder_weights, inputs[IMAGE][:, 0]
    return with_grids(batch_features(checkpoint.image_encoder, weights, pixels))


def with_grids(maps: Tensor) -> dict[str, Tensor]:
    """What a captioner of features reads of [images, rows, columns, channels]."""
    att, box = maps.flatten(1, 2), grid_boxes(*maps.shape[1:3]).to(maps.device)
    return {
        "att": att,
        "fc": att.mean(1, keepdim=True),
        "box": box.expand(len(att), *box.shape),
    }
