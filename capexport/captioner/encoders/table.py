"""The encoders that can be exported: one file each, one line here."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from torch import nn

from capexport.captioner.encoders.convolution import Take
from capexport.captioner.encoders.efficientnet_lite import efficientnet_lite0
from capexport.captioner.encoders.googlenet import googlenet
from capexport.captioner.encoders.image_encoder import HALF, IMAGENET, Preprocessing
from capexport.captioner.encoders.mobilenet_v1 import mobilenet_v1
from capexport.captioner.encoders.mobilenet_v2 import mobilenet_v2
from capexport.captioner.encoders.mobilenet_v3 import mobilenet_v3_large, mobilenet_v3_small
from capexport.captioner.encoders.resnet import resnet50, resnet101
from capexport.captioner.encoders.scene_net import scene_net
from capexport.captioner.encoders.sources import Blueprint
from capexport.spec.image import ImageSpec

CENTRE_224 = ImageSpec(224, 224, short_side=256)
"""What the published encoders were evaluated on."""


@dataclass(frozen=True)
class EncoderArchitecture:
    """How to build one encoder.

    Args:
        build: gives layers their weights, in the order in which they run -> the body.
        channels: of a cell's features.
        preprocessing: that the published weights were trained with.
        listed: the file is a row of convolutions without names; otherwise a state dictionary.
        same: TensorFlow's SAME padding. A row always has it.
        eps: of batch norm.
        classifier: first parts of keys behind or beside the body, which are not read.
        image: the input, where nothing else is said.
        placed: the last two channels are the cell's place.
    """

    build: Callable[[Take], nn.Module]
    channels: int
    preprocessing: Preprocessing
    listed: bool = False
    same: bool = False
    eps: float = 1e-5
    classifier: tuple[str, ...] = ("classifier.",)
    image: ImageSpec = CENTRE_224
    placed: bool = False


_RESNET = ("fc.",)
_GOOGLENET = ("fc.", "aux1.", "aux2.")

ENCODERS = {
    "tf_mobilenet_v1": EncoderArchitecture(mobilenet_v1, 1024, HALF, listed=True),
    "tf_mobilenet_v2": EncoderArchitecture(mobilenet_v2, 1280, HALF, listed=True),
    "mobilenet_v2": EncoderArchitecture(mobilenet_v2, 1280, IMAGENET),
    "mobilenet_v3_small": EncoderArchitecture(mobilenet_v3_small, 576, IMAGENET, eps=1e-3),
    "mobilenet_v3_large": EncoderArchitecture(mobilenet_v3_large, 960, IMAGENET, eps=1e-3),
    "googlenet": EncoderArchitecture(googlenet, 1024, HALF, eps=1e-3, classifier=_GOOGLENET),
    "resnet50": EncoderArchitecture(resnet50, 2048, IMAGENET, classifier=_RESNET),
    "resnet101": EncoderArchitecture(resnet101, 2048, IMAGENET, classifier=_RESNET),
    "efficientnet_lite0": EncoderArchitecture(efficientnet_lite0, 1280, IMAGENET),
    "tf_efficientnet_lite0": EncoderArchitecture(
        efficientnet_lite0, 1280, HALF, same=True, eps=1e-3
    ),
    "scene_net": EncoderArchitecture(
        scene_net, 98, HALF, classifier=(), image=ImageSpec(96, 96, short_side=96), placed=True
    ),
}
"""`tf_` marks weights that TensorFlow trained: padding, preprocessing and eps differ."""


@cache
def expected_shapes(name: str) -> dict[str, tuple[int, ...]]:
    """Keys and shapes of a state dictionary's body, or of a row's layers by their places."""
    blueprint = Blueprint()
    ENCODERS[name].build(blueprint.take)
    return blueprint.shapes
