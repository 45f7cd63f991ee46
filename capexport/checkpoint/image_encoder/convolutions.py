"""A .npz of TFLite weights into the convolutions of an encoder, in the order in which they run.

The file has one array per tensor number of the .tflite it was made of, weights as TFLite stores
them, and a JSON string `meta` that lists the operators. What follows the global average pool is a
classifier and is not read.
"""

import json
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from capexport.checkpoint.archive import DAMAGED_ZIP, check_directory, opened
from capexport.checkpoint.limits import Limits
from capexport.errors import CheckpointError

if TYPE_CHECKING:
    from torch import Tensor

Arrays = Mapping[str, NDArray[Any]]

DENSE, DEPTHWISE, ADD, POOL = "CONV_2D", "DEPTHWISE_CONV_2D", "ADD", "AVERAGE_POOL_2D"
ACTIVATIONS = {0: None, 1: "relu", 3: "relu6"}
"""TFLite's numbers of fused activations."""
SAME = 0
"""TFLite's number of the padding that keeps ceil(length / stride)."""
UNREADABLE = (*DAMAGED_ZIP, MemoryError, RuntimeError, SyntaxError, tokenize.TokenError)
"""What numpy raises on a damaged .npz; it reads the header of an array as Python source."""


@dataclass(frozen=True, eq=False)
class StoredConvolution:
    """One convolution with SAME padding.

    Args:
        weight: float32 [out, in / groups, height, width].
        bias: float32 [out].
        groups: 1, or the number of channels of a depthwise one.
        stride: of both axes.
        activation: "relu", "relu6" or None.
        where: file and operator number, for errors.
    """

    weight: "Tensor"
    bias: "Tensor"
    groups: int
    stride: int
    activation: str | None
    where: str


def read_convolutions(data: bytes, where: str, limits: Limits) -> tuple[StoredConvolution, ...]:
    """Every convolution before the global average pool.

    Raises:
        CheckpointError: damaged or oversized, an operator that is none of convolution, addition and
            average pool, or numbers that do not fit together.
    """
    arrays = _read_arrays(data, where, limits)
    found = []
    for place, operator in _operators(arrays, where):
        try:
            if operator["op"] in (DENSE, DEPTHWISE):
                found.append(_convolution(operator, arrays, place))
            elif operator["op"] != ADD:
                raise _error(f"the operator {operator['op']!r} is not known here", place)
        except (LookupError, TypeError, ValueError) as error:
            raise _error(f"the operator cannot be read: {error!r:.100}", place) from error
    if not found:
        raise _error("there is no convolution", where)
    return tuple(found)


def _read_arrays(data: bytes, where: str, limits: Limits) -> Arrays:
    with opened(BytesIO(data), where, "the .npz file") as archive:
        check_directory(archive, where, most_bytes=limits.weights_bytes, limits=limits)
    try:
        with np.load(BytesIO(data), allow_pickle=False) as loaded:
            arrays = {key: loaded[key] for key in loaded.files}
    except UNREADABLE as error:
        raise _error(f"the .npz file is damaged: {error}", where) from error
    # numpy hands out the raw bytes of a zip member that is no .npy file
    return {key: array for key, array in arrays.items() if isinstance(array, np.ndarray)}


def _operators(arrays: Arrays, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        operators = json.loads(str(arrays["meta"]))["ops"]
        names = [operator["op"] for operator in operators]
    except (LookupError, RecursionError, TypeError, ValueError) as error:
        raise _error("there is no list of operators", f"{where}: meta") from error
    if POOL not in names:
        raise _error("there is no average pool that ends the encoder", f"{where}: meta")
    for number, operator in enumerate(operators[: names.index(POOL)]):
        yield f"{where}: operator {number}", operator


def _convolution(operator: dict[str, Any], arrays: Arrays, where: str) -> StoredConvolution:
    import torch

    _, weight_number, bias_number = operator["inputs"]
    weight, bias = (_floats(arrays[str(n)], where) for n in (weight_number, bias_number))
    depthwise = operator["op"] == DEPTHWISE
    # TFLite has [out, height, width, in], and [1, height, width, channels] when depthwise
    torch_order = (3, 0, 1, 2) if depthwise else (0, 3, 1, 2)
    weight = np.ascontiguousarray(weight.transpose(torch_order))
    if bias.shape != weight.shape[:1] or (depthwise and weight.shape[1] != 1):
        raise _error(f"weight {list(weight.shape)} and bias {list(bias.shape)}", where)
    if operator["padding"] != SAME or operator["strideH"] != operator["strideW"]:
        raise _error("only SAME padding and one stride for both axes are read", where)
    return StoredConvolution(
        weight=torch.from_numpy(weight),
        bias=torch.from_numpy(bias),
        groups=len(weight) if depthwise else 1,
        stride=int(operator["strideH"]),
        activation=ACTIVATIONS[operator["fusedActivationFunction"]],
        where=where,
    )


def _floats(array: NDArray[Any], where: str) -> NDArray[np.float32]:
    if array.dtype != np.float32 or not np.isfinite(array).all():
        raise _error("a weight is no finite float32 array", where)
    return array


def _error(what: str, where: str) -> CheckpointError:
    return CheckpointError(
        what, where=where, hint="give a .npz in the layout of capexport/checkpoint/README.md"
    )
