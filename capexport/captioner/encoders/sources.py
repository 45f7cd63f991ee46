"""Where an architecture's layers get their weights: a state dictionary, a row, or nowhere."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from capexport.captioner.encoders.convolution import Convolution, Layer, fold_batch_norm
from capexport.checkpoint.image_encoder import StoredConvolution
from capexport.errors import CheckpointError

NORM_PARTS = ("weight", "bias", "running_mean", "running_var")


class StateDictionary:
    """Layers by the trainer's names; batch norm is folded."""

    def __init__(
        self, tensors: Mapping[str, Tensor], where: str, *, eps: float, same: bool
    ) -> None:
        self._tensors, self._where, self._eps, self._same = tensors, where, eps, same

    def take(self, layer: Layer) -> nn.Module:
        tensors = {key: self._tensor(key, shape) for key, shape in keys_of(layer).items()}
        if layer.norm is None:
            weight, bias = tensors.values()
            return Convolution(layer, weight, bias, same=self._same)
        return self._normed(layer, *tensors.values())

    def _normed(
        self,
        layer: Layer,
        weight: Tensor,
        gamma: Tensor,
        beta: Tensor,
        mean: Tensor,
        variance: Tensor,
    ) -> nn.Module:
        if (variance < 0).any():
            raise CheckpointError(
                "a variance is negative",
                where=f"{self._where}: {layer.norm}",
                hint="fetch the file again",
            )
        weight, bias = fold_batch_norm(weight, gamma, beta, mean, variance, eps=self._eps)
        return Convolution(layer, weight, bias, same=self._same)

    def _tensor(self, key: str, shape: tuple[int, ...]) -> Tensor:
        tensor = self._tensors.get(key)
        found = None if tensor is None else tuple(tensor.shape)
        if tensor is None or found != shape:
            problem = "is missing" if found is None else f"is {list(found)}, not {list(shape)}"
            raise CheckpointError(
                f"{key} {problem}",
                where=self._where,
                hint="the file belongs to another encoder, or to another width of this one",
            )
        return tensor


class Row:
    """Layers in the order of the file, which has no names; padding is SAME."""

    def __init__(self, convolutions: tuple[StoredConvolution, ...], where: str) -> None:
        self._rest, self._where = list(convolutions), where

    def take(self, layer: Layer) -> Convolution:
        if not self._rest:
            raise _other_encoder(f"{layer.name} is missing: the file ends before", self._where)
        stored = self._rest.pop(0)
        found = (tuple(stored.weight.shape), stored.stride, stored.groups, stored.activation)
        wanted = (layer.weight_shape, layer.stride, layer.groups, layer.activation)
        if found != wanted:
            raise _other_encoder(f"{layer.name} is {found}, not {wanted}", stored.where)
        return Convolution(layer, stored.weight, stored.bias, same=True)

    def finish(self) -> None:
        """Raise CheckpointError when a convolution is left over."""
        if self._rest:
            raise _other_encoder("a convolution is left over", self._rest[0].where)


class Blueprint:
    """Layers without weights: notes what the file must hold, `{key: shape}`."""

    def __init__(self) -> None:
        self.shapes: dict[str, tuple[int, ...]] = {}

    def take(self, layer: Layer) -> Convolution:
        self.shapes |= keys_of(layer)
        weight = torch.empty(layer.weight_shape, device="meta")
        return Convolution(layer, weight, weight.new_empty(layer.outputs), same=False)


def keys_of(layer: Layer) -> dict[str, tuple[int, ...]]:
    """Keys and shapes of a layer in a state dictionary: weight, then bias or batch norm."""
    channels = (layer.outputs,)
    keys: dict[str, tuple[int, ...]] = {f"{layer.name}.weight": layer.weight_shape}
    if layer.norm is None:
        return keys | {f"{layer.name}.bias": channels}
    return keys | {f"{layer.norm}.{part}": channels for part in NORM_PARTS}


def _other_encoder(what: str, where: str) -> CheckpointError:
    return CheckpointError(what, where=where, hint="the file belongs to another encoder")
