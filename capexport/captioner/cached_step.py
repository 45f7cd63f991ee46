"""One word of a decoder with a cache per layer, over an image's tokens: any layers, one order."""

from collections.abc import Iterable

from torch import Tensor, nn
from torch.nn import functional as F


class CachedStep(nn.Module):
    """One word for every beam; inputs and outputs as in `cached_signature`.

    Args:
        embedding: token, position -> x [beams, width], and the mask of the cache's rows.
        layers: x, mask, keys, values, image_keys, image_values -> x, and the new row of both.
        head: x -> logits [beams, vocabulary].
    """

    def __init__(self, embedding: nn.Module, layers: Iterable[nn.Module], head: nn.Module) -> None:
        super().__init__()
        self.embedding, self.layers, self.head = embedding, nn.ModuleList(layers), head

    def forward(self, token: Tensor, position: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
        x, mask = self.embedding(token, position)
        caches, image = tensors[: len(tensors) // 2], tensors[len(tensors) // 2 :]
        rows: list[Tensor] = []
        for i, layer in enumerate(self.layers):
            x, *new = layer(x, mask, *caches[2 * i : 2 * i + 2], *image[2 * i : 2 * i + 2])
            rows += new
        return F.log_softmax(self.head(x), -1), *rows
