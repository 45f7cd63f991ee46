"""Graph -> smaller graph: recipes quantize weights, storage marks the sparse ones."""

from capexport.compress.calibrate import image_samples
from capexport.compress.checks import count_nonzeros, refuse_copies
from capexport.compress.float_layers import (
    graph_sensitivity,
    sensitivities,
    with_float_layers,
)
from capexport.compress.quantize import apply_recipe
from capexport.compress.recipe import (
    AUTO,
    RECIPES,
    Recipe,
    automatic_recipes,
    check_calibration,
    parse_recipes,
)
from capexport.compress.static_nodes import image_sides
from capexport.compress.storage import (
    WEIGHT_FORMS,
    check_weight_form,
    choose_storage,
    refuse_nothing_packed,
)
from capexport.compress.stored import stored_layers

__all__ = [
    "AUTO",
    "RECIPES",
    "WEIGHT_FORMS",
    "Recipe",
    "apply_recipe",
    "automatic_recipes",
    "check_calibration",
    "check_weight_form",
    "choose_storage",
    "count_nonzeros",
    "graph_sensitivity",
    "image_samples",
    "image_sides",
    "parse_recipes",
    "refuse_copies",
    "refuse_nothing_packed",
    "sensitivities",
    "stored_layers",
    "with_float_layers",
]
