"""Weights into the compact forms of a safetensors file, and back; README.md lists the forms."""

import math
from collections.abc import Iterable, Mapping
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from capexport.checkpoint.capexport_format.document import HINT
from capexport.checkpoint.capexport_format.places import is_sine_table, sine_table
from capexport.checkpoint.limits import Limits
from capexport.checkpoint.tensors import FLOATS
from capexport.errors import CheckpointError, UnsupportedError

Storage = Literal["float32", "float16", "int8"]

BITS, VALUES, SHAPE = "_nonzero_bits", "_nonzero_values", "_shape"
"""Ends of the three names that a weight stored by its non-zeros has."""
SCALES = "_row_scales"
"""End of the name of an int8 weight's scales."""
SINES = "_sine_table"
"""End of the name of the shape of a table that is computed from it."""
PARTS = (BITS, VALUES, SHAPE, SCALES, SINES)

PEAK = 127
"""Largest magnitude of int8. -128 is not used: Arm kernels add two products in 16 bits."""
MOST_DIMENSIONS = 8
MOST_SINES = 2**24
"""Elements of a computed table, as a few bytes ask for it: six times the largest published."""


# -------------------------------------------------------------------- writing
def compacted(tensors: Mapping[str, Tensor], storage: Storage) -> dict[str, Tensor]:
    """Every weight in its smallest form; matrices and convolutions in `storage`, the rest float32.

    Non-zeros alone are stored where that takes fewer bytes, in float32 or float16: export finds
    better int8 steps for few values than a scale fixed here would leave it. Rounding is to the
    nearest, ties to even; what becomes 0 is stored as a zero. Of a transformer's table of sines
    the shape alone is stored.

    Raises:
        UnsupportedError: a weight is beyond float16, or not finite where it is rounded.
        ValueError: a name has the end of a part's name.
    """
    stored: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if name.endswith(PARTS):
            raise ValueError(f"{name} has the name of a part of a weight")
        weight = tensor.detach().to("cpu", torch.float32)
        if weight.ndim in (2, 4):
            stored |= _forms(name, weight, storage)
        elif is_sine_table(name, weight, exact=storage == "float32"):
            stored[name + SINES] = torch.tensor(weight.shape)
        else:
            stored[name] = weight
    return stored


def _forms(name: str, weight: Tensor, storage: Storage) -> dict[str, Tensor]:
    """The smaller one of the dense form and the non-zeros."""
    rounded = weight if storage == "float32" else _halved(name, weight)
    kept = rounded.flatten() != 0
    sparse = -(-weight.numel() // 8) + int(kept.sum()) * rounded.element_size()
    dense = weight.numel() * (1 if storage == "int8" else rounded.element_size())
    if sparse < dense:
        return {
            name + BITS: torch.from_numpy(np.packbits(kept.numpy(), bitorder="little")),
            name + VALUES: rounded.flatten()[kept],
            name + SHAPE: torch.tensor(weight.shape),
        }
    return _int8(name, weight) if storage == "int8" and dense else {name: rounded}


def _halved(name: str, weight: Tensor) -> Tensor:
    halved = weight.half()
    if not halved.isfinite().all():
        raise UnsupportedError(
            f"a weight is beyond {torch.finfo(torch.float16).max:.0f} or no finite number",
            where=name,
            hint="store the checkpoint as float32",
        )
    return halved


def _int8(name: str, weight: Tensor) -> dict[str, Tensor]:
    """Symmetric, scale = largest magnitude of the row / 127; a row of zeros has scale 1."""
    rows = weight.flatten(1)
    scales = rows.abs().amax(1) / PEAK
    scales = torch.where(scales >= torch.finfo(torch.float32).tiny, scales, 1)
    steps = (rows / scales[:, None]).round().clamp(-PEAK, PEAK).to(torch.int8)
    return {name: steps.view(weight.shape), name + SCALES: scales}


# -------------------------------------------------------------------- reading
def expanded(stored: Mapping[str, Tensor], where: str, limits: Limits) -> dict[str, Tensor]:
    """Every weight dense and float32, sorted by name.

    Raises:
        CheckpointError: parts are missing, left over or contradict each other, a weight has
            another type, or the shapes declare more elements than `limits` allow.
    """
    for name in stored:
        _check_parts(name, stored, where)
    whole = [n for n in stored if not n.endswith(PARTS)]
    by_nonzeros = [n.removesuffix(BITS) for n in stored if n.endswith(BITS)]
    by_sines = [n.removesuffix(SINES) for n in stored if n.endswith(SINES)]
    shapes = {name: _shape(stored[name + SHAPE], f"{where}: {name}") for name in by_nonzeros}
    tables = {name: _table(stored[name + SINES], f"{where}: {name}") for name in by_sines}
    declared = [*shapes.values(), *tables.values(), *(stored[n].shape for n in whole)]
    _check_elements(declared, where, limits)
    weights = {name: _whole(name, stored, where) for name in whole}
    for name, shape in shapes.items():
        weights[name] = _from_nonzeros(name, stored, shape, f"{where}: {name}")
    for name, table in tables.items():
        weights[name] = sine_table(*table[1:])
    return dict(sorted(weights.items()))


def _check_parts(name: str, stored: Mapping[str, Tensor], where: str) -> None:
    end = next((end for end in PARTS if name.endswith(end)), None)
    if end is None:
        return
    weight = name.removesuffix(end)
    by_nonzeros = [weight + e for e in (BITS, VALUES, SHAPE)]
    together = {SCALES: [weight], SINES: [name]}.get(end, by_nonzeros)
    if missing := [part for part in together if part not in stored]:
        raise _wrong(f"{missing[0]} is missing", f"{where}: {name}")
    others = {SCALES: (), SINES: (weight, weight + BITS)}.get(end, (weight,))
    if any(other in stored for other in others):
        raise _wrong("the weight is stored twice", f"{where}: {weight}")


def _check_elements(shapes: Iterable[tuple[int, ...]], where: str, limits: Limits) -> None:
    if sum(math.prod(shape) for shape in shapes) > limits.elements:
        raise _wrong(f"the weights declare more than {limits.elements} elements", where)


def _shape(shape: Tensor, where: str) -> tuple[int, ...]:
    if shape.dtype != torch.int64 or shape.ndim != 1 or len(shape) > MOST_DIMENSIONS:
        raise _wrong("the shape is no row of a few int64", where)
    lengths = tuple(int(length) for length in shape)
    if min(lengths, default=0) < 0:
        raise _wrong(f"the shape is {lengths}", where)
    return lengths


def _table(shape: Tensor, where: str) -> tuple[int, ...]:
    lengths = _shape(shape, where)
    if len(lengths) != 3 or lengths[0] != 1 or not 0 < math.prod(lengths) <= MOST_SINES:
        raise _wrong(f"no table of sines has the shape {lengths}", where)
    return lengths


def _whole(name: str, stored: Mapping[str, Tensor], where: str) -> Tensor:
    weight, scales = stored[name], stored.get(name + SCALES)
    if weight.dtype != torch.int8 or scales is None:
        if weight.dtype not in FLOATS or scales is not None:
            raise _wrong(f"the weight is {weight.dtype}", f"{where}: {name}")
        return weight.float()
    if weight.ndim < 2 or scales.dtype != torch.float32 or scales.shape != weight.shape[:1]:
        raise _wrong("the scales are not one float32 a row", f"{where}: {name}")
    return weight * scales.view(-1, *[1] * (weight.ndim - 1))


def _from_nonzeros(
    name: str, stored: Mapping[str, Tensor], shape: tuple[int, ...], where: str
) -> Tensor:
    bits, values = stored[name + BITS], stored[name + VALUES]
    elements = math.prod(shape)
    if bits.dtype != torch.uint8 or bits.shape != (-(-elements // 8),):
        raise _wrong(f"the bits are not those of {elements} elements", where)
    unpacked = torch.from_numpy(np.unpackbits(bits.numpy(), bitorder="little"))
    kept = unpacked[:elements] != 0
    if unpacked[elements:].any():
        raise _wrong("there are bits beyond the last element", where)
    if values.dtype not in FLOATS or values.shape != (int(kept.sum()),):
        raise _wrong("there is not one floating-point value for every bit", where)
    weight = torch.zeros(elements)
    weight[kept] = values.float()
    return weight.view(shape)


def _wrong(what: str, where: str) -> CheckpointError:
    return CheckpointError(what, where=where, hint=HINT)
