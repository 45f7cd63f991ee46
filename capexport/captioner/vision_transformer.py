"""Vision transformer (Dosovitskiy et al. 2021) with pre-norm layers: ViT, CLIP and BLIP."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from capexport.captioner.blocks import Linear
from capexport.captioner.pretrained_layers import FeedForward, LayerNorm, SelfAttention
from capexport.checkpoint.normalisation import Normalisation
from capexport.spec.signature import IMAGE, TensorSpec


class PatchEmbedding(nn.Module):
    """image uint8 [1, side, side, 3] -> [patches, width], row by row.

    A convolution whose stride is its window is a linear layer on patches, and the normalisation of
    the pixels is folded into it: pixels enter as they are.

    Args:
        weight: of the convolution, [width, 3, patch, patch].
        bias: [width], or None.
    """

    def __init__(
        self, weight: Tensor, bias: Tensor | None, side: int, pixels: Normalisation
    ) -> None:
        super().__init__()
        self.patch, self.side = int(weight.shape[-1]), side
        mean, std = (torch.tensor(v, dtype=torch.float64) for v in (pixels.mean, pixels.std))
        taps = weight.double().permute(0, 2, 3, 1) / std  # [width, row, column, colour]
        offset = -(taps * mean).sum((1, 2, 3))
        self.project = Linear(
            (taps * pixels.scale).flatten(1).float(),
            (offset if bias is None else offset + bias.double()).float(),
        )

    def forward(self, image: Tensor) -> Tensor:
        across = self.side // self.patch
        rows = image.float().reshape(across, self.patch, across, self.patch * 3)
        embedded: Tensor = self.project(rows.transpose(1, 2).reshape(across * across, -1))
        return embedded


class VisionLayer(nn.Module):
    """x + attention(norm(x)), then x + feed_forward(norm(x)): x [tokens, width]."""

    def __init__(
        self,
        attention_norm: LayerNorm,
        attention: SelfAttention,
        norm: LayerNorm,
        feed_forward: FeedForward,
    ) -> None:
        super().__init__()
        self.attention_norm, self.attention = attention_norm, attention
        self.norm, self.feed_forward = norm, feed_forward

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.attention_norm(x))
        y: Tensor = x + self.feed_forward(self.norm(x))
        return y


class VisionTransformer(nn.Module):
    """image uint8 [1, side, side, 3] -> tokens [1 + patches, width], the class token first.

    Args:
        class_token: [width].
        positions: [1 + patches, width].
        pre_norm: norm of the embeddings, CLIP's; None elsewhere.
    """

    first: Tensor
    positions: Tensor

    def __init__(
        self,
        patches: PatchEmbedding,
        class_token: Tensor,
        positions: Tensor,
        layers: Sequence[VisionLayer],
        post_norm: LayerNorm,
        pre_norm: LayerNorm | None = None,
    ) -> None:
        super().__init__()
        self.patches = patches
        self.register_buffer("first", (class_token + positions[0])[None])
        self.register_buffer("positions", positions[1:].contiguous())
        self.layers = nn.ModuleList(layers)
        self.pre_norm, self.post_norm = pre_norm, post_norm

    def forward(self, image: Tensor) -> Tensor:
        x = torch.cat([self.first, self.patches(image) + self.positions])
        if self.pre_norm is not None:
            x = self.pre_norm(x)
        for layer in self.layers:
            x = layer(x)
        y: Tensor = self.post_norm(x)
        return y


def image_input(side: int) -> TensorSpec:
    """The encoder's input: a square picture, uint8 RGB."""
    return TensorSpec(IMAGE, (1, side, side, 3), "uint8")
