"""Graph -> smaller graph: recipes quantize weights, storage marks the sparse ones."""

from capexport.compress.quantize import apply_recipe
from capexport.compress.recipe import RECIPES, Recipe, parse_recipes
from capexport.compress.storage import WEIGHT_FORMS, choose_storage

__all__ = ["RECIPES", "WEIGHT_FORMS", "Recipe", "apply_recipe", "choose_storage", "parse_recipes"]
