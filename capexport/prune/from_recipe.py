"""A recipe and a data set -> a trained checkpoint on disk."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from capexport.captioner import ImageEncoder, read_image_encoder
from capexport.checkpoint import (
    Checkpoint,
    Storage,
    check_target,
    read_checkpoint,
    write_checkpoint,
)
from capexport.errors import CheckpointError, InputError
from capexport.evaluate.datasets import CaptionedImage, read_captions, select
from capexport.prune.examples import examples_of
from capexport.prune.features import encoder_features, feature_widths, stored_features
from capexport.prune.initial import trainable_encoder, untrained, with_untrained_encoder
from capexport.prune.pictures import picture_inputs
from capexport.prune.pruning import Dense
from capexport.prune.recipe import Recipe, read_recipe
from capexport.prune.run import check_device, trainable_captioner
from capexport.prune.training import train
from capexport.prune.words import decoding_rule, word_list

Widths = tuple[int, int]
"""Numbers of a region's features, and of the whole image's."""


def train_recipe(
    recipe: Path,
    data: Path,
    out: Path,
    *,
    encoder: str | None = None,
    features: Path | None = None,
    split: str = "train",
    subset: str = "",
    held_out: str = "val",
    device: str = "cpu",
    storage: Storage = "float32",
    force: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Checkpoint:
    """Train a captioner from random weights, and write it in capexport's own format.

    A run that was interrupted goes on where it was: its state lies beside `out` until the end.

    Args:
        data: captions file or folder of `read_captions`.
        encoder, features: a frozen image encoder or a features file, where the recipe has no image
            encoder that is trained.
        held_out: split that `training.patience` judges by.

    Raises:
        CapexportError: of the stage that refused; nothing is left at `out` then.
    """
    out = out.absolute()
    check_target(out, force=force)
    check_device(device)
    wanted = read_recipe(recipe)
    _check_inputs(wanted, encoder, features)
    everything = read_captions(data)
    images = select(everything, split, subset)
    judged = select(everything, held_out, subset) if wanted.plan.patience else []
    frozen = None if encoder is None else read_image_encoder(encoder)
    start = _start(wanted, images, _widths(wanted, frozen, features))
    captioner = trainable_captioner(start)
    if wanted.image_encoder is not None:
        start = with_untrained_encoder(start, wanted.image_encoder, wanted.plan.seed)

    def inputs(images: list[CaptionedImage]) -> dict[str, Tensor]:
        if start.image is not None:
            return picture_inputs(images, start.image, progress)
        if frozen is not None:
            return encoder_features(images, frozen, captioner, progress)
        assert features is not None
        return stored_features(images, features, captioner)

    state = out.with_name(out.name + ".state")
    trained = train(
        start,
        examples_of(images, inputs(images), start),
        wanted.plan,
        Dense(),
        held_out=examples_of(judged, inputs(judged), start) if judged else None,
        state=state,
        identity=_identity(wanted, images + judged, encoder or str(features)),
        device=device,
        progress=progress,
    )
    write_checkpoint(out, trained, storage=storage, force=force)
    state.unlink(missing_ok=True)
    return read_checkpoint(out)


def _check_inputs(recipe: Recipe, encoder: str | None, features: Path | None) -> None:
    """Features come from one place."""
    given = [what for what in (recipe.image_encoder, encoder, features) if what is not None]
    if len(given) != 1:
        raise InputError(
            f"the captioner's inputs come from {len(given)} places",
            where="image_encoder of the recipe, --encoder, --features",
            hint="give exactly one of the three",
        )


def _widths(recipe: Recipe, frozen: ImageEncoder | None, features: Path | None) -> Widths:
    if features is not None:
        return feature_widths(features)
    if frozen is not None:
        return frozen.channels, frozen.channels
    assert recipe.image_encoder is not None
    channels = trainable_encoder(recipe.image_encoder).channels
    return channels, channels


def _start(recipe: Recipe, images: list[CaptionedImage], widths: Widths) -> Checkpoint:
    """The captioner of features with random weights."""
    words = word_list((text for image in images for text in image.captions), recipe.least)
    att, fc = widths
    derived = {"vocab_size": len(words), "att_feat_size": att, "fc_feat_size": fc}
    rule, seed = decoding_rule(recipe.max_length, recipe.beam), recipe.plan.seed
    try:
        return untrained(recipe.architecture, {**recipe.config, **derived}, words, rule, seed)
    except CheckpointError as error:
        hint = "capexport/prune/README.md lists what each architecture needs"
        raise InputError(error.what, where="config of the recipe", hint=hint) from error


def _identity(recipe: Recipe, images: list[CaptionedImage], inputs: str) -> str:
    """What a run depends on beside its plan, as a digest."""
    said = [(image.name, image.captions) for image in images]
    parts = (recipe, said, inputs)
    return hashlib.sha256(repr(parts).encode()).hexdigest()
