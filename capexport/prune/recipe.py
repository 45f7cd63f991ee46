"""A training recipe, a small TOML file -> checked values; see the README for what it may say."""

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from capexport.checkpoint import LONGEST_CAPTION
from capexport.errors import InputError
from capexport.prune.training import Plan

MOST_BYTES = 1 << 20
"""A recipe is a page; a larger file is none."""
WORDS = {"least": 1, "max_length": 20, "beam": 2}
"""What the table `words` says, and what where it does not."""
DERIVED = ("vocab_size", "att_feat_size", "fc_feat_size")
"""Sizes of the configuration that follow from the captions and the image encoder."""
WITHOUT = ("seed", "distillation")
"""Fields of a plan that the table `training` has not: the first is above it, the second needs a
teacher."""
BOUNDS: Mapping[str, tuple[Any, Any]] = {
    "seed": (0, 2**31 - 1),
    "least": (1, 2**31),
    "max_length": (2, LONGEST_CAPTION),
    "beam": (1, 100),
    "epochs": (1, 10_000),
    "batch": (1, 100_000),
    "captions": (0, 1000),
    "learning_rate": (1e-9, 1),
    "warm_up": (0, 0.9),
    "weight_decay": (0, 1),
    "label_smoothing": (0, 0.9),
    "dropout": (0, 0.9),
    "clip": (1e-6, 1e6),
    "average": (0, 1),
    "patience": (0, 10_000),
    "save_every": (1, 2**31),
}
"""Smallest and largest value of each number, where a wrong one would only show after hours."""


@dataclass(frozen=True)
class Recipe:
    """How a captioner is trained from nothing.

    Args:
        architecture: a name of the table of captioners.
        config: the numbers that it is built from, without those of DERIVED.
        image_encoder: one of the table of encoders that is trained with the captioner, from nothing
            too; None where features come from a frozen encoder or a file.
        least: how often a word must occur to be in the vocabulary.
        max_length: tokens of the longest caption, the end included.
        beam: width of the search that the checkpoint asks for.
        plan: epochs, batch, learning rate and so on, and the seed.
    """

    architecture: str
    config: Mapping[str, Any]
    image_encoder: str | None
    least: int
    max_length: int
    beam: int
    plan: Plan


def read_recipe(file: Path) -> Recipe:
    """The recipe in a TOML file.

    Raises:
        InputError: it cannot be read, says something unknown, or lacks or misstates something.
    """
    top = _Table(_document(file), str(file))
    config, words, training = (top.table(name) for name in ("config", "words", "training"))
    architecture = top.take("architecture", str)
    image_encoder = top.take("image_encoder", str, None)
    seed = top.take("seed", int, 0)
    known = [field for field in fields(Plan) if field.name not in WITHOUT]
    plan = {field.name: training.take(field.name, field.type, field.default) for field in known}
    recipe = Recipe(
        architecture=architecture,
        config=config.rest(),
        image_encoder=image_encoder,
        **{key: words.take(key, int, default) for key, default in WORDS.items()},
        plan=Plan(**plan, seed=seed),
    )
    for table in (top, words, training):
        table.finish()
    if recipe.image_encoder is not None and recipe.plan.average:
        raise InputError(
            "the batch norm of a trained image encoder does not fit averaged weights",
            where=f"{file}: training.average",
            hint="leave it out, or train on a frozen encoder's features",
        )
    for key in DERIVED:
        if key in recipe.config:
            raise InputError(
                f"{key} follows from the data, it is not chosen",
                where=f"{file}: config.{key}",
                hint="leave it out",
            )
    return recipe


def _document(file: Path) -> dict[str, Any]:
    try:
        if file.stat().st_size > MOST_BYTES:
            raise InputError("the file is too large for a recipe", where=str(file), hint=_HINT)
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise InputError(
            f"the recipe cannot be read: {error.strerror}",
            where=str(file),
            hint="check the path and its permissions",
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"this is not TOML: {error}", where=str(file), hint=_HINT) from error


_HINT = "capexport/prune/README.md says what a recipe holds"


class _Table:
    """A table of the document whose keys are taken one by one, so that unknown ones are left."""

    def __init__(self, values: Mapping[str, Any], where: str, prefix: str = "") -> None:
        self._values, self._where, self._prefix = dict(values), where, prefix
        self._known: list[str] = []

    def table(self, name: str) -> "_Table":
        return _Table(self.take(name, dict, {}), self._where, f"{name}.")

    def take(self, key: str, kind: Any, default: Any = MISSING) -> Any:
        """The value of `key`; a whole number will do for a float, true for no number."""
        self._known.append(key)
        if key not in self._values:
            if default is MISSING:
                raise self._error(f"{key} is missing", key)
            return default
        value = self._values.pop(key)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self._error(
                f"{key} is {str(value)[:40]!r}, of another kind than it should be", key
            )
        low, high = BOUNDS.get(key, (None, None))
        if low is not None and not low <= value <= high:
            raise self._error(f"{key} is {value}, not from {low:g} to {high:g}", key)
        return value

    def rest(self) -> dict[str, Any]:
        """All values, whatever their keys."""
        return self._values

    def finish(self) -> None:
        """InputError when a key is left that nothing asked for."""
        for key in self._values:
            hint = f"known here: {', '.join(sorted(self._known))}"
            raise InputError(f"{key} is unknown", where=self._place(key), hint=hint)

    def _error(self, what: str, key: str) -> InputError:
        return InputError(what, where=self._place(key), hint=_HINT)

    def _place(self, key: str) -> str:
        return f"{self._where}: {self._prefix}{key}"
