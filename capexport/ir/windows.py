"""What slides a window over an image: output sizes, convolution and pooling in numpy.

One axis at a time: windows of length k start every s-th element of the padded axis.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from capexport.ir.graph import Array
from capexport.spec.signature import Dimension, Shape

Padding = tuple[tuple[int, int], tuple[int, int]]
"""Elements before and after: ((top, bottom), (left, right))."""
Pair = tuple[int, int]
"""(vertical, horizontal)."""

CHANNELS_FIRST, CHANNELS_LAST = 1, 3
"""`channel_axis` of [n, c, h, w] (torch, ONNX) and of [n, h, w, c] (TFLite)."""
NO_PADDING: Padding = ((0, 0), (0, 0))


def windowed_shape(
    x: Shape, channels: int, window: Pair, stride: Pair, padding: Padding, channel_axis: int
) -> Shape:
    """Shape of x after windows that fit wholly into it; ValueError where none does."""
    if len(x) != 4 or channel_axis not in (CHANNELS_FIRST, CHANNELS_LAST):
        raise ValueError(f"no image: {x} with channels along axis {channel_axis}")
    n, height, width = (x[axis] for axis in range(4) if axis != channel_axis)
    lengths = zip((height, width), window, stride, padding, strict=True)
    sizes: list[Dimension] = [_count(*axis) for axis in lengths]
    return (n, channels, *sizes) if channel_axis == CHANNELS_FIRST else (n, *sizes, channels)


def _count(length: Dimension, window: int, stride: int, padding: Pair) -> int:
    if not isinstance(length, int):
        raise ValueError(f"a window over an axis of unknown length {length}")
    if window < 1 or stride < 1 or min(padding) < 0:
        raise ValueError(f"a window of {window} every {stride} with padding {padding}")
    count = (length + sum(padding) - window) // stride + 1
    if count < 1:
        raise ValueError(f"a window of {window} does not fit into {length} with {padding}")
    return count


def convolve(
    x: Array, weight: Array, *, stride: Pair, padding: Padding, groups: int, channel_axis: int
) -> Array:
    """Cross-correlation with zero padding, summed tap by tap in the arrays' own type.

    Args:
        x: an image with its channels along `channel_axis`.
        weight: [out, in / groups, height, width]; output o belongs to group o * groups // out.
    """
    taps = _taps(np.moveaxis(x, channel_axis, -1), weight.shape[2:], stride, padding, 0)
    product = _dense_tap if groups == 1 else _grouped_tap
    total: Any = sum(product(tap, weight[:, :, i, j], groups) for tap, i, j in taps)
    return np.moveaxis(total, -1, channel_axis)


def _dense_tap(tap: Array, weight: Array, groups: int) -> Array:
    rows = tap.reshape(-1, tap.shape[-1])  # one large product is faster than one per image row
    product: Array = rows @ weight.T
    return product.reshape(*tap.shape[:-1], -1)


def _grouped_tap(tap: Array, weight: Array, groups: int) -> Array:
    apart = tap.reshape(*tap.shape[:-1], groups, -1)
    grouped = weight.reshape(groups, -1, weight.shape[1])
    product: Array = np.einsum("nhwgi,goi->nhwgo", apart, grouped)
    return product.reshape(*tap.shape[:-1], -1)


def max_pool(x: Array, *, window: Pair, stride: Pair, padding: Padding, channel_axis: int) -> Array:
    """The largest number in each window; padding is never the largest."""
    taps = _taps(np.moveaxis(x, channel_axis, -1), window, stride, padding, -np.inf)
    return np.moveaxis(_reduce(np.maximum, taps), -1, channel_axis)


def average_pool(
    x: Array, *, window: Pair, stride: Pair, padding: Padding, channel_axis: int
) -> Array:
    """The mean of each window, padding not counted."""
    image = np.moveaxis(x, channel_axis, -1)
    total = _reduce(np.add, _taps(image, window, stride, padding, 0))
    count = _reduce(np.add, _taps(np.ones_like(image), window, stride, padding, 0))
    return np.moveaxis(total / count, -1, channel_axis)


def _reduce(
    combine: Callable[[Array, Array], Array], taps: Iterator[tuple[Array, int, int]]
) -> Array:
    result, _, _ = next(taps)
    for tap, _, _ in taps:
        result = combine(result, tap)
    return result


def _taps(
    image: Array, window: Pair, stride: Pair, padding: Padding, fill: float
) -> Iterator[tuple[Array, int, int]]:
    """For each place (i, j) in the window, what of [n, h, w, c] meets it: [n, out h, out w, c]."""
    padded = np.pad(image, ((0, 0), *padding, (0, 0)), constant_values=fill)
    counts = [
        (length - size) // step + 1
        for length, size, step in zip(padded.shape[1:3], window, stride, strict=True)
    ]
    for i, j in np.ndindex(*window):
        rows = slice(i, i + (counts[0] - 1) * stride[0] + 1, stride[0])
        columns = slice(j, j + (counts[1] - 1) * stride[1] + 1, stride[1])
        yield padded[:, rows, columns], i, j
