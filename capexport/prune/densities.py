"""Shapes of layers and a density for all of them -> a density for each.

Erdos and Renyi's random graphs, as Evci et al., "Rigging the Lottery", ICML 2020 extend them to
convolutions: a layer keeps in proportion to (outputs + inputs) / (outputs * inputs), so that narrow
layers, which have few weights to give and suffer most, stay dense.
"""

from collections.abc import Mapping


def densities(shapes: Mapping[str, tuple[int, int]], density: float) -> dict[str, float]:
    """Share of weights that each layer keeps, 0 to 1; together they keep `density` of all.

    Args:
        shapes: outputs and inputs by layer.
    """
    sizes = {name: rows * columns for name, (rows, columns) in shapes.items()}
    raw = {name: sum(shape) / sizes[name] for name, shape in shapes.items()}
    dense: set[str] = set()
    while True:
        rest = {name for name in shapes if name not in dense}
        kept = density * sum(sizes.values()) - sum(sizes[name] for name in dense)
        factor = kept / sum((raw[n] * sizes[n] for n in rest), 0.0) if rest else 0.0
        full = {name for name in rest if factor * raw[name] >= 1}
        if not full:
            return {name: 1.0 if name in dense else max(factor * raw[name], 0.0) for name in shapes}
        dense |= full
