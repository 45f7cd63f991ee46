"""Recipes: what becomes int8.

Names follow `<activations>_wi<bits>[_a<type>]`: `dynamic` quantizes activations per row at run
time, `static` beforehand by calibration, `weight_only` leaves them float, `wi8` is int8 weights,
`ai8` int8 activations. Linears of a static encoder are dynamic, and `@56` behind its name leaves
convolutions over larger images float: docs/decisions/static-int8.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from capexport.errors import InputError
from capexport.ir.graph import Graph
from capexport.ir.ops import DYNAMIC, FLOAT

STATIC = "static_wi8_ai8"
AUTO = "auto"
"""In place of a recipe: int8, but for layers that must stay float; which, is measured."""


@dataclass(frozen=True)
class Recipe:
    """How weights are stored, and linears and convolutions computed.

    Args:
        name: as on the command line.
        weight_bits: 8 for symmetric int8 per output row, None for float32.
        activations: FLOAT or DYNAMIC, of the linears with int8 weights.
        static: convolutions and what lies between them are int8 with scales found by calibration.
        largest: rows and columns of an image that a static convolution may read, None for any.
            Larger ones, and all that they depend on, stay float.
    """

    name: str
    weight_bits: int | None
    activations: str
    static: bool = False
    largest: int | None = None

    def of_images_within(self, side: int) -> "Recipe":
        """The same, static over images of at most `side` rows and columns."""
        return replace(self, name=f"{self.name}@{side}", largest=side)


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("fp32", None, FLOAT),
        Recipe("weight_only_wi8", 8, FLOAT),
        Recipe("dynamic_wi8", 8, DYNAMIC),
        Recipe(STATIC, 8, DYNAMIC, static=True),
    )
}


def automatic_recipes(encoder: Graph) -> dict[str, Recipe]:
    """What AUTO starts from: static where there are convolutions, dynamic elsewhere."""
    convolutions = any(node.op == "conv2d" for node in encoder.nodes)
    dynamic = RECIPES["dynamic_wi8"]
    return {"encoder": RECIPES[STATIC] if convolutions else dynamic, "decoder": dynamic}


def parse_recipes(text: str) -> dict[str, Recipe]:
    """`NAME`, or `encoder=NAME,decoder=NAME` -> recipe of "encoder" and of "decoder".

    Raises:
        InputError: an unknown recipe, or parts other than each of the two once.
    """
    if "=" not in text:
        return dict.fromkeys(("encoder", "decoder"), _recipe(text, text))
    chosen = [part.partition("=") for part in text.split(",")]
    parts = sorted(part for part, _, _ in chosen)
    if parts != ["decoder", "encoder"]:
        raise InputError(
            f"parts {parts} are named",
            where=f"--recipe {text}",
            hint="name each once: encoder=NAME,decoder=NAME",
        )
    return {part: _recipe(name, text) for part, _, name in chosen}


def _recipe(name: str, text: str) -> Recipe:
    base, at, largest = name.partition("@")
    if base not in RECIPES:
        raise InputError(
            f"there is no recipe {name!r}",
            where=f"--recipe {text}",
            hint=f"choose from {', '.join(RECIPES)}",
        )
    recipe = RECIPES[base]
    if not at:
        return recipe
    if not recipe.static or not (largest.isascii() and largest.isdigit()) or int(largest) < 1:
        raise InputError(
            f"there is no recipe {name!r}",
            where=f"--recipe {text}",
            hint=f"behind @ is the largest image of static convolutions, as in {STATIC}@56",
        )
    return recipe.of_images_within(int(largest))


def check_calibration(recipes: Mapping[str, Recipe], pictures: Path | None) -> None:
    """Raise InputError unless there are calibration pictures exactly when a recipe is static."""
    static = [part for part, recipe in recipes.items() if recipe.static]
    if static and pictures is None:
        raise InputError(
            f"the {static[0]} cannot be {STATIC} without calibration pictures",
            where="--recipe",
            hint="give some dozen typical pictures: --calibration FOLDER",
        )
    if pictures is not None and not static:
        raise InputError(
            "no recipe needs calibration",
            where=f"--calibration {pictures}",
            hint=f"leave it out, or use --recipe encoder={STATIC},decoder=dynamic_wi8",
        )
