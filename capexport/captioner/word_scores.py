"""The decoder's output into log-probabilities of words, by one linear layer or several."""

from torch import Tensor, nn
from torch.nn import functional as F

from capexport.captioner.blocks import Dropout, Linear
from capexport.captioner.region_embedding import Shapes, Weights

MODULES_PER_LAYER = 3
"""Linear, ReLU, Dropout: the trainers' Sequential counts all of them."""


class WordScores(nn.Module):
    """x [beams, rnn] -> log-probabilities [beams, vocabulary]; ReLU between the layers."""

    def __init__(self, weights: Weights, layers: int = 1) -> None:
        super().__init__()
        *hidden, last = _names(layers)
        self.hidden = nn.ModuleList([_layer(weights, name) for name in hidden])
        self.last = _layer(weights, last)
        self.drop = Dropout()

    def forward(self, x: Tensor) -> Tensor:
        x = self.drop(x)
        for layer in self.hidden:
            x = self.drop(F.relu(layer(x)))
        return F.log_softmax(self.last(x), -1)


def _layer(weights: Weights, name: str) -> Linear:
    return Linear(weights[f"{name}.weight"], weights[f"{name}.bias"])


def _names(layers: int) -> list[str]:
    return ["logit"] if layers == 1 else [f"logit.{MODULES_PER_LAYER * i}" for i in range(layers)]


def word_scores_shapes(words: int, width: int, layers: int = 1) -> Shapes:
    """Tensors of a WordScores that reads `width` numbers, by the trainers' names."""
    *hidden, last = _names(layers)
    shapes: Shapes = {f"{last}.weight": (words, width), f"{last}.bias": (words,)}
    for name in hidden:
        shapes |= {f"{name}.weight": (width, width), f"{name}.bias": (width,)}
    return shapes
