"""A dense image encoder and pictures -> a sparse one that gives almost the same features.

Layer by layer, in the order in which they run: the least important weights go, and those that stay
are fitted so that the layer, behind layers that are sparse already, says what the dense encoder's
says on the same pictures. No captions, no gradients, no learning rate; a few dozen pictures do.
"""

import copy
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from capexport.captioner import build_captioner, with_image_encoder
from capexport.captioner.encoders import ImageEncoder, folded_weights, read_image_encoder
from capexport.captioner.encoders.convolution import Convolution
from capexport.checkpoint import Storage, read_checkpoint
from capexport.checkpoint.image_encoder import check_encoder_target, write_image_encoder
from capexport.errors import UnsupportedError
from capexport.evaluate.datasets import CaptionedImage
from capexport.prune.densities import densities
from capexport.prune.magnitude import keep_largest
from capexport.prune.reconstruction import importance, reconstructed
from capexport.prune.run_state import load_state, save_state
from capexport.runtime import read_picture

BATCH = 8
"""Pictures at a time: bounds memory, changes nothing."""
MOST_SAMPLES = 8192
"""Cells that a layer is fitted on, spread evenly over the pictures."""


@dataclass(frozen=True)
class EncoderPlan:
    """How to prune an image encoder.

    Args:
        sparsity: share of zeros in all 1x1 convolutions together; `densities` shares them out.
        pictures: how many to fit on, spread evenly over those given.
    """

    sparsity: float = 0.5
    pictures: int = 64


def prune_encoder(
    encoder: str,
    images: Sequence[CaptionedImage],
    out: Path,
    plan: EncoderPlan,
    *,
    storage: Storage = "float32",
    force: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> ImageEncoder:
    """Prune an image encoder and write it as a file that `--encoder` takes.

    A run that was interrupted goes on where it was: its state lies beside `out` until the end.

    Args:
        encoder: `PATH` or `NAME:PATH` of the dense encoder's weights.
        images: pictures of the kind that will be captioned; their captions are not read.
        out: a .safetensors file.

    Returns:
        the encoder as it was written.

    Raises:
        UnsupportedError: the encoder has no 1x1 convolution.
        CapexportError: a file cannot be read or written, or a state is of another run.
    """
    out = out.absolute()
    check_encoder_target(out, force=force)
    dense = read_image_encoder(encoder)
    places = sorted({n * len(images) // plan.pictures for n in range(plan.pictures)})
    chosen = [images[place] for place in places]
    pixels = torch.cat(
        [torch.from_numpy(read_picture(one.file, dense.image).pixels) for one in chosen]
    )
    state = out.with_name(out.name + ".state")
    run = {
        **asdict(plan),
        "encoder": dense.sha256,
        "pixels": hashlib.sha256(pixels.numpy().tobytes()).hexdigest(),
    }
    shapes = {name: tuple(t.shape) for name, t in folded_weights(dense.module).items()}
    sparse = sparse_module(
        dense.module,
        pixels,
        plan.sparsity,
        done=load_state(state, run, shapes)["tensors"] if state.exists() else {},
        save=lambda tensors: save_state(state, run, tensors),
        progress=progress,
    )
    write_image_encoder(out, dense.name, folded_weights(sparse), storage=storage, force=force)
    state.unlink(missing_ok=True)
    return read_image_encoder(str(out))


def check_fits(encoder: str, checkpoint: Path) -> None:
    """Raise what `export` would raise of a captioner and an image encoder that do not fit."""
    with_image_encoder(build_captioner(read_checkpoint(checkpoint)), read_image_encoder(encoder))


def counts(encoder: ImageEncoder) -> dict[str, Any]:
    """Numbers for a report; the non-zeros and the sparsity are of the 1x1 convolutions."""
    weights = folded_weights(encoder.module)
    pruned = [t for t in weights.values() if t.ndim == 4 and t.shape[1] > 1 and t.shape[2] == 1]
    elements = sum(t.numel() for t in pruned)
    nnz = sum(int(t.count_nonzero()) for t in pruned)
    return {
        "name": encoder.name,
        "parameters": sum(t.numel() for t in weights.values()),
        "nnz": nnz,
        "sparsity": 1 - nnz / elements,
        "bytes": encoder.bytes_on_disk,
    }


@torch.no_grad()
def sparse_module(
    dense: nn.Module,
    pixels: Tensor,
    sparsity: float,
    *,
    done: Mapping[str, Tensor] | None = None,
    save: Callable[[Mapping[str, Tensor]], None] = lambda _: None,
    progress: Callable[[str], None] = lambda _: None,
) -> nn.Module:
    """The module with pruned 1x1 convolutions.

    Args:
        dense: an image encoder's, with layers of type Convolution; left as it is.
        pixels: uint8 [pictures, height, width, 3].
        done: weights and biases of the layers that an interrupted run finished.
        save: is given all of those so far after each layer.

    Raises:
        UnsupportedError: there is no 1x1 convolution.
    """
    sparse, finished = copy.deepcopy(dense), dict(done or {})
    pairs = list(zip(_pointwise(dense, pixels), _pointwise(sparse, pixels), strict=True))
    shapes = {layer.name: (layer.weight.shape[0], layer.weight.shape[1]) for layer, _ in pairs}
    shares = densities(shapes, 1 - sparsity)
    for number, (layer, pruned) in enumerate(pairs, 1):
        names = [f"{layer.name}.{part}" for part in ("weight", "bias")]
        if names[0] not in finished:
            progress(f"image encoder: layer {number} of {len(pairs)}, {layer.name}")
            wanted = _cells(dense, layer, pixels) @ layer.weight[:, :, 0, 0].T + layer.bias
            inputs = _cells(sparse, pruned, pixels)
            fitted = _pruned(layer, inputs, wanted, 1 - shares[layer.name])
            finished |= dict(zip(names, fitted, strict=True))
            save(finished)
        for name, tensor in zip(names, (pruned.weight, pruned.bias), strict=True):
            tensor.copy_(finished[name])
    return sparse


def _pruned(layer: Convolution, inputs: Tensor, wanted: Tensor, sparsity: float) -> list[Tensor]:
    weight = layer.weight[:, :, 0, 0]
    mask = keep_largest(importance(weight, inputs.square().mean(0)), sparsity)
    if mask.all():
        return [layer.weight, layer.bias]
    weight, bias = reconstructed(weight, layer.bias, mask, inputs, wanted)
    return [weight[:, :, None, None], bias]


def _pointwise(module: nn.Module, pixels: Tensor) -> list[Convolution]:
    """The 1x1 convolutions that mix channels, in the order in which they run."""
    found: list[Convolution] = []
    layers = [m for m in module.modules() if isinstance(m, Convolution)]
    hooks = [
        layer.register_forward_pre_hook(lambda layer, _: found.append(layer))
        for layer in layers
        if layer.kernel == 1 and layer.groups == 1
    ]
    module(pixels[:1])
    for hook in hooks:
        hook.remove()
    if not found:
        raise UnsupportedError(
            "the image encoder has no 1x1 convolution",
            where="--encoder",
            hint="only these are pruned: use a MobileNet, EfficientNet, GoogLeNet or ResNet",
        )
    return found


class _Reached(Exception):
    """The layer that is looked at has its input: the rest need not run."""


def _cells(module: nn.Module, layer: Convolution, pixels: Tensor) -> Tensor:
    """What a 1x1 convolution reads: float32 [samples, channels]; the same cells in any module."""
    rows: list[Tensor] = []

    def look(_: nn.Module, given: tuple[Tensor, ...]) -> None:
        x = given[0][:, :, :: layer.stride, :: layer.stride]
        rows.append(x.permute(0, 2, 3, 1).reshape(-1, x.shape[1]))
        raise _Reached

    hook = layer.register_forward_pre_hook(look)
    for batch in torch.split(pixels, BATCH):
        try:
            module(batch)
        except _Reached:
            continue
    hook.remove()
    cells = torch.cat(rows)
    return cells[:: -(-len(cells) // MOST_SAMPLES)]
