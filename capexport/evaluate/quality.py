"""A bundle and captioned images -> what its captions are worth."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from capexport.errors import InputError
from capexport.evaluate.datasets import CaptionedImage
from capexport.evaluate.metrics import CIDER, check_tools, interval, score
from capexport.runtime import Given, Session, caption, read_features, read_inputs
from capexport.spec.image import ImageSpec

Reading = Callable[[CaptionedImage], Given]
"""How what a captioner takes is found for an image."""


def evaluate(
    session: Session,
    image: ImageSpec | None,
    images: Sequence[CaptionedImage],
    beam: int,
    *,
    features: Path | None = None,
    tokenizer: str = "words",
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Caption every image and score all captions together.

    Args:
        image: the bundle's rule for pictures; None for one that takes features, from `features`.
        features: file with the features of every image, under its name, or its name's last part
            without suffix.

    Returns:
        `{"images", "beam", "tokenizer", "metrics", "skipped", "cider_95", "captions"}`.

    Raises:
        InputError: an image cannot be read or has no features.
        RuntimeMissingError: pycocoevalcap is not installed.
    """
    check_tools(tokenizer)
    read = reading(image, features)
    captions = {}
    for number, one in enumerate(images, 1):
        captions[one.name] = caption(session, read(one), beam).text
        progress(f"{number} of {len(images)} captioned")
    progress("scoring")
    return report(captions, images, beam, tokenizer)


def report(
    captions: Mapping[str, str], images: Sequence[CaptionedImage], beam: int, tokenizer: str
) -> dict[str, Any]:
    """The document that `evaluate` returns, for captions by image."""
    scores = score(captions, {one.name: one.captions for one in images}, tokenizer)
    return {
        "images": len(captions),
        "beam": beam,
        "tokenizer": tokenizer,
        "metrics": scores.metrics,
        "skipped": scores.skipped,
        "cider_95": interval(scores.cider),
        "captions": [
            {"image": name, "caption": text, CIDER: float(value)}
            for (name, text), value in zip(captions.items(), scores.cider, strict=True)
        ],
    }


def reading(image: ImageSpec | None, features: Path | None) -> Reading:
    """From pictures, or from the features file; see `evaluate`."""
    return _pictures(image) if features is None else _from(features)


def _pictures(image: ImageSpec | None) -> Reading:
    if image is None:
        raise InputError(
            "this bundle's encoder takes region features, not pictures",
            where="evaluate",
            hint="give a features file by --features, or export with --encoder",
        )
    return lambda one: next(iter(read_inputs(one.file, image).values()))


def _from(path: Path) -> Reading:
    features = read_features(path)

    def find(one: CaptionedImage) -> Given:
        for name in (one.name, Path(one.name).stem):
            if name in features:
                return features[name]
        raise InputError(
            f"there are no features of {one.name}",
            where=str(path),
            hint=f"store them as {Path(one.name).stem}.att",
        )

    return find
