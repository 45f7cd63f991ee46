"""A checkpoint and a data set -> a pruned checkpoint on disk."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from capexport.captioner import build_captioner
from capexport.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from capexport.errors import InputError, UnsupportedError
from capexport.evaluate.datasets import CaptionedImage, read_captions, select
from capexport.prune.examples import Examples, caption_tokens
from capexport.prune.features import encoder_features, stored_features
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
    split: str = "train",
    subset: str = "",
    device: str = "cpu",
    force: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Checkpoint:
    """Prune a checkpoint while it is trained on, and write it in capexport's own format.

    A run that was interrupted goes on where it was: its state lies beside `out` until the end.

    Args:
        data: captions file or folder of `read_captions`.
        encoder, features: where the captioner's inputs come from; exactly one of them.

    Raises:
        CapexportError: of the stage that refused; nothing is left at `out` then.
    """
    if (encoder is None) == (features is None):
        raise InputError(
            "the captioner's inputs come from an image encoder or from a features file",
            where="--encoder, --features",
            hint="give one of the two",
        )
    source = read_checkpoint(checkpoint)
    images = select(read_captions(data), split, subset)
    examples = _examples(source, images, encoder, features, progress)
    pruning = _pruning(source, target, plan.steps(len(examples)), device)
    pruned = train(
        source,
        examples,
        plan,
        pruning,
        teacher=source if plan.distillation else None,
        state=out.with_name(out.name + ".state"),
        device=device,
        progress=lambda step, steps, loss: progress(f"step {step} of {steps}, loss {loss:.3f}"),
    )
    write_checkpoint(out, pruned, force=force)
    return read_checkpoint(out)


def _examples(
    checkpoint: Checkpoint,
    images: list[CaptionedImage],
    encoder: str | None,
    features: Path | None,
    progress: Callable[[str], None],
) -> Examples:
    vocabulary = checkpoint.vocabulary
    if vocabulary.radix is not None or vocabulary.continuation:
        raise UnsupportedError(
            "words of several tokens cannot be made from captions here",
            where=f"{checkpoint.path}: vocabulary",
            hint="prune a captioner with one token a word",
        )
    captioner = build_captioner(checkpoint)
    inputs = (
        encoder_features(images, encoder, captioner, progress)
        if encoder is not None
        else stored_features(images, features, captioner)
        if features is not None
        else {}
    )
    rule = checkpoint.decoding
    texts = [image.captions for image in images]
    return Examples(inputs, caption_tokens(texts, vocabulary, rule))


def _pruning(checkpoint: Checkpoint, target: Target, steps: int, device: str) -> Pruning:
    tensors = {name: tensor.to(device) for name, tensor in checkpoint.tensors.items()}
    until = max(1, round(target.until * steps))
    if target.method == "supermask":
        return Supermask(tensors, target.sparsity, until)
    if target.method == "gradual":
        return Gradual(target.sparsity, target.scheme, until)
    return FixedMask(magnitude_masks(tensors, target.sparsity, target.scheme))
