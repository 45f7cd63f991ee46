"""What every lineage's reader returns: one captioner's weights, configuration and vocabulary."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from capexport.checkpoint.statistics import LayerStatistics, size_bound
from capexport.spec.decoding import Decoding
from capexport.spec.image import ImageSpec
from capexport.spec.vocabulary import Vocabulary

if TYPE_CHECKING:
    from torch import Tensor

IMAGE_ENCODER = "image_encoder."
"""Start of the names of an image encoder's weights in a checkpoint that holds its own."""
BUFFERS = (".pe", ".running_mean", ".running_var")
"""Ends of the state dictionary's keys that no training step changes by gradient."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A trained captioner as read from its trainer's files.

    Args:
        path: what the user named: folder, .zip or .pth.
        weights_file: name of the file of weights that was read.
        lineage: the trainer, a key of READERS.
        architecture: canonical name, e.g. "up_down_lstm"; pruning suffixes are gone.
        config: the trainer's configuration, normalised to its newest version.
        tensors: state dictionary, float32 and dense; masks are applied and gone, buffers are kept.
        vocabulary: one piece per row of the word embedding.
        decoding: token ids, length limit and beam of the trainer's evaluation.
        bytes_on_disk: size of `weights_file`.
        sha256: digest of every file read, by its name relative to the checkpoint.
        image_encoder: what the features come from, as `--encoder` takes it; None: not recorded. Of
            a checkpoint that holds its own image encoder, that encoder's name.
        image: how a picture becomes the input, where the model takes one; None for features.
    """

    path: Path
    weights_file: str
    lineage: str
    architecture: str
    config: Mapping[str, Any]
    tensors: "Mapping[str, Tensor]"
    vocabulary: Vocabulary
    decoding: Decoding
    bytes_on_disk: int
    sha256: Mapping[str, str]
    image_encoder: str | None = None
    image: ImageSpec | None = None

    @property
    def image_encoder_weights(self) -> "dict[str, Tensor]":
        """State dictionary of the checkpoint's own image encoder; empty where it has none."""
        return {
            name.removeprefix(IMAGE_ENCODER): tensor
            for name, tensor in self.tensors.items()
            if name.startswith(IMAGE_ENCODER)
        }

    def without_image_encoder(self) -> "Checkpoint":
        """The captioner of features that is left when its own image encoder is taken away."""
        others = {n: t for n, t in self.tensors.items() if not n.startswith(IMAGE_ENCODER)}
        return replace(self, tensors=others, image_encoder=None, image=None)

    @property
    def parameters(self) -> int:
        """Trained numbers, pruned ones included; buffers and masks are none."""
        return sum(t.numel() for t in self._parameters().values())

    @property
    def nnz(self) -> int:
        """Elements other than zero in all 2-D weights."""
        return sum(layer.nnz for layer in self.layers())

    def layers(self) -> list[LayerStatistics]:
        """The 2-D weights in file order."""
        return [_statistics(name, t) for name, t in self._parameters().items() if t.ndim == 2]

    def size_bound_bytes(self) -> dict[str, int]:
        """Ideal size of the weights at 8 and 4 bits a value; the formula is `size_bound`'s."""
        layers = self.layers()
        others = self.parameters - sum(layer.elements for layer in layers)
        return {f"int{bits}": size_bound(layers, others, bits) for bits in (8, 4)}

    def statistics(self) -> dict[str, Any]:
        """The counts as JSON values: of the whole, and of each 2-D weight in file order.

        Sparsity is the share of zeros in all 2-D weights.
        """
        layers = self.layers()
        nnz, elements = self.nnz, sum(layer.elements for layer in layers)
        return {
            "parameters": self.parameters,
            "nnz": nnz,
            "sparsity": 1 - nnz / elements if elements else 0.0,
            "size_bound_bytes": self.size_bound_bytes(),
            "layers": [asdict(layer) | {"shape": list(layer.shape)} for layer in layers],
        }

    def _parameters(self) -> "dict[str, Tensor]":
        return {name: t for name, t in self.tensors.items() if not name.endswith(BUFFERS)}


def _statistics(name: str, weight: "Tensor") -> LayerStatistics:
    nnz = int(weight.count_nonzero())
    sparsity = 1 - nnz / weight.numel() if weight.numel() else 0.0
    return LayerStatistics(name, tuple(weight.shape), nnz, sparsity)
