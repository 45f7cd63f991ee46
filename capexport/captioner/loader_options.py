"""What ImageCaptioning.pytorch's data loader does to region features, as the front of an encoder.

The options are part of the model: a captioner trained on normed features or boxes needs them to
caption. The loader also sorts regions by their area, which changes no caption: every encoder here
treats regions as a set.
"""

from dataclasses import replace

import torch
from torch import Tensor, nn

from capexport.captioner.options import Config, choice
from capexport.errors import UnsupportedError
from capexport.spec.signature import REGIONS, CaptionerSignature, TensorSpec

BOX_WIDTH, BOX_COLUMNS = 4, 5
"""Corners of a box, relative to the image; what use_box appends: the corners and the area."""
NAMES = ("norm_att_feat", "use_box", "norm_box_feat")


class LoaderFeatures(nn.Module):
    """att [regions, features], the encoder's other inputs, box [regions, 4] if used -> its outputs.

    norm_att_feat brings each row of att to unit length, norm_box_feat each row of what is appended.
    """

    def __init__(self, encoder: nn.Module, norm_att: bool, use_box: bool, norm_box: bool) -> None:
        super().__init__()
        self.encoder = encoder
        self.norm_att, self.use_box, self.norm_box = norm_att, use_box, norm_box

    def forward(self, att: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
        if self.norm_att:
            att = _unit_rows(att)
        if self.use_box:
            others, columns = others[:-1], _with_area(others[-1])
            columns = _unit_rows(columns) if self.norm_box else columns
            att = torch.cat([att, columns], -1)
        outputs: tuple[Tensor, ...] = self.encoder(att, *others)
        return outputs


def _unit_rows(x: Tensor) -> Tensor:
    return x / torch.sqrt((x * x).sum(-1)).unsqueeze(-1)


def _with_area(box: Tensor) -> Tensor:
    """x0, y0, x1, y1 -> the same and (x1 - x0) * (y1 - y0)."""
    x0, y0, x1, y1 = box.chunk(BOX_WIDTH, -1)
    return torch.cat([box, (x1 - x0) * (y1 - y0)], -1)


def with_loader_options(
    encoder: nn.Module, signature: CaptionerSignature, config: Config
) -> tuple[nn.Module, CaptionerSignature]:
    """The encoder behind what the options ask for; as it is when they ask for nothing.

    Raises:
        UnsupportedError: an option is neither 0 nor 1, or boxes meet an encoder that has its own.
    """
    norm_att, use_box, norm_box = (bool(choice(config, name, (0, 1), 0)) for name in NAMES)
    inputs = {spec.name: spec for spec in signature.inputs}
    if "att" not in inputs or not (norm_att or use_box):
        return encoder, signature
    if use_box:
        if "box" in inputs:
            raise UnsupportedError(
                "use_box with an encoder that reads boxes itself",
                where="configuration: use_box",
                hint="no trainer makes such a model: report it",
            )
        width = inputs["att"].shape[-1]
        assert isinstance(width, int)
        inputs["att"] = TensorSpec("att", (REGIONS, width - BOX_COLUMNS))
        inputs["box"] = TensorSpec("box", (REGIONS, BOX_WIDTH))
    wrapped = LoaderFeatures(encoder, norm_att, use_box, norm_box)
    return wrapped, replace(signature, inputs=tuple(inputs.values()))
