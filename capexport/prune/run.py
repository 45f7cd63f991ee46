"""A checkpoint and a data set -> a pruned checkpoint on disk."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from capexport.captioner import (
    Captioner,
    build_captioner,
    own_image_encoder,
    read_image_encoder,
)
from capexport.captioner.encoders import ImageEncoder
from capexport.checkpoint import (
    Checkpoint,
    Storage,
    check_target,
    read_checkpoint,
    write_checkpoint,
)
from capexport.errors import InputError, UnsupportedError
from capexport.evaluate.datasets import CaptionedImage, read_captions, select
from capexport.prune.examples import examples_of
from capexport.prune.features import encoder_features, stored_features, view_features
from capexport.prune.initial import with_tensors
from capexport.prune.magnitude import FixedMask, Gradual, Scheme, magnitude_masks
from capexport.prune.pruning import Pruning
from capexport.prune.supermask import Supermask
from capexport.prune.training import Plan, train

Method = Literal["supermask", "gradual", "oneshot"]


@dataclass(frozen=True)
class Target:
    """What is to be pruned away, and how.

    Args:
        method: how the weights to drop are found.
        sparsity: share of all matrices' elements to drop.
        scheme: which weights compete in `gradual` and `oneshot`.
        until: share of the steps after which no mask changes any more.
    """

    method: Method
    sparsity: float
    scheme: Scheme = "uniform"
    until: float = 0.6


def prune(
    checkpoint: Path,
    data: Path,
    out: Path,
    target: Target,
    plan: Plan,
    *,
    encoder: str | None = None,
    features: Path | None = None,
    views: Sequence[Path] = (),
    split: str = "train",
    subset: str = "",
    held_out: str = "val",
    device: str = "cpu",
    storage: Storage = "float32",
    force: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Checkpoint:
    """Prune a checkpoint while it is trained on, and write it in capexport's own format.

    A run that was interrupted goes on where it was: its state lies beside `out` until the end.

    Args:
        data: captions file or folder of `read_captions`.
        encoder, features: where the captioner's inputs come from; exactly one of them, or none for
            a checkpoint with its own image encoder, which stays as it is.
        views: features files of the same images by other encoders, such as this one in int8. Each
            step sees an image by one of them or by the first, at random; `held_out` by the first.
        held_out: split that `plan.patience` judges by.
        storage: of the matrices in the checkpoint that is written, as `write_checkpoint` takes it.

    Raises:
        CapexportError: of the stage that refused; nothing is left at `out` then.
    """
    check_device(device)
    out = out.absolute()
    check_target(out, force=force)
    whole = read_checkpoint(checkpoint)
    image_encoder = _image_encoder(whole, encoder, features)
    source = whole.without_image_encoder() if whole.image_encoder_weights else whole
    everything = read_captions(data)
    images = select(everything, split, subset)
    judged = select(everything, held_out, subset) if plan.patience else []
    captioner = trainable_captioner(source)

    def inputs(images: list[CaptionedImage]) -> dict[str, Tensor]:
        if image_encoder is not None:
            return encoder_features(images, image_encoder, captioner, progress)
        assert features is not None
        return stored_features(images, features, captioner)

    seen = inputs(images)
    others = [view_features(images, view, captioner, seen) for view in views]
    examples = examples_of(images, seen, source, others)
    pruning = _pruning(source, target, plan.steps(len(examples)), device)
    state = out.with_name(out.name + ".state")
    pruned = train(
        source,
        examples,
        plan,
        pruning,
        held_out=examples_of(judged, inputs(judged), source) if judged else None,
        teacher=source if plan.distillation else None,
        state=state,
        identity=_identity(source, target, images + judged, [encoder or str(features), *views]),
        device=device,
        progress=progress,
    )
    pruned = with_tensors(whole, {**whole.tensors, **pruned.tensors})
    write_checkpoint(out, pruned, storage=storage, force=force)
    state.unlink(missing_ok=True)
    return read_checkpoint(out)


def check_device(device: str) -> None:
    """InputError unless torch can compute there."""
    if device == "cuda" and not torch.cuda.is_available():
        hint = "train on the cpu, or install a torch with CUDA"
        raise InputError("torch finds no CUDA device", where="--device", hint=hint)


def _image_encoder(
    checkpoint: Checkpoint, encoder: str | None, features: Path | None
) -> ImageEncoder | None:
    """What the features come from; None for a features file. InputError unless it is one thing."""
    has_own = bool(checkpoint.image_encoder_weights)
    if [has_own, encoder is not None, features is not None].count(True) != 1:
        raise InputError(
            "the captioner's inputs come from an image encoder or from a features file",
            where="--encoder, --features",
            hint="the checkpoint has its own image encoder: give none of the two"
            if has_own
            else "give one of the two",
        )
    if has_own:
        return own_image_encoder(checkpoint)
    return None if encoder is None else read_image_encoder(encoder)


def trainable_captioner(checkpoint: Checkpoint) -> Captioner:
    """The captioner; UnsupportedError for what this loop cannot train."""
    vocabulary, why = checkpoint.vocabulary, ""
    end = vocabulary.continuation
    if checkpoint.image is not None:
        why = "a captioner with an image encoder of its own"
    elif vocabulary.radix or (end and any(p.endswith(end) for p in vocabulary.pieces)):
        why = "words of several tokens"
    elif any(checkpoint.config.get(f"share_layer_{side}") for side in ("encoder", "decoder")):
        why = "layers that share their weights"
    if why:
        raise UnsupportedError(
            f"{why} cannot be trained here",
            where=str(checkpoint.path),
            hint="train it with its own trainer, and export what that writes",
        )
    return build_captioner(checkpoint)


def _identity(
    checkpoint: Checkpoint,
    target: Target,
    images: list[CaptionedImage],
    inputs: Sequence[str | Path],
) -> str:
    """What a run depends on beside its plan, as a digest."""
    said = [(image.name, image.captions) for image in images]
    sources = [str(one) for one in inputs]
    parts = (sorted(checkpoint.sha256.items()), asdict(target), said, sources)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _pruning(checkpoint: Checkpoint, target: Target, steps: int, device: str) -> Pruning:
    tensors = {name: tensor.to(device) for name, tensor in checkpoint.tensors.items()}
    until = max(1, round(target.until * steps))
    if target.method == "supermask":
        return Supermask(tensors, target.sparsity, until)
    if target.method == "gradual":
        return Gradual(target.sparsity, target.scheme, until)
    return FixedMask(magnitude_masks(tensors, target.sparsity, target.scheme))
