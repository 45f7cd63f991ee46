"""Importers of what image encoders are made of: convolutions, pools, reshaping, preprocessing."""

from typing import Any

import torch
from torch.fx import Node as FxNode

from capexport.capture.importers import (
    IMPORTERS,
    Emitter,
    arguments,
    elementwise,
    imports,
    shape_of,
)
from capexport.capture.refusals import refuse
from capexport.ir.ops import NONE
from capexport.ir.windows import CHANNELS_FIRST, NO_PADDING, Padding

IMPORTERS["aten.relu6.default"] = elementwise("relu6", 1)
IMPORTERS["aten.hardswish.default"] = elementwise("hard_swish", 1)


@imports("aten._assert_tensor_metadata.default", keywords=("device", "layout", "dtype"))
def _assertion(emitter: Emitter, node: FxNode) -> None:
    """Nothing is computed; the graph's own types and shapes are checked later."""


@imports("aten._to_copy.default", keywords=("dtype",))
def _cast(emitter: Emitter, node: FxNode) -> None:
    if node.kwargs.get("dtype") != torch.float32:
        raise refuse(node, f"a cast to {node.kwargs.get('dtype')}: only float32 is imported")
    emitter.emit("cast", node.args[:1], node)


@imports("aten.hardsigmoid.default")
def _hard_sigmoid(emitter: Emitter, node: FxNode) -> None:
    """relu6(x + 3) / 6: TFLite has no operator for it."""
    shifted = emitter.step("add", [node.args[0], 3], node, "shifted")
    clipped = emitter.step("relu6", [shifted], node, "clipped")
    emitter.emit("mul", [clipped, 1 / 6], node)


# ------------------------------------------------------------ windows
@imports("aten.conv2d.default", "aten.conv2d.padding")
def _conv2d(emitter: Emitter, node: FxNode) -> None:
    weight, bias, stride, padding, dilation, groups = arguments(node, None, None, 1, 0, 1, 1)
    if _pair(dilation) != (1, 1):
        raise refuse(node, f"a dilation of {dilation} is not imported")
    inputs = [node.args[0], weight, *([] if bias is None else [bias])]
    window = shape_of(weight)[2:]
    emitter.emit(
        "conv2d",
        inputs,
        node,
        stride=_pair(stride),
        padding=_convolution_padding(padding, window),
        groups=groups,
        activation=NONE,
        channel_axis=CHANNELS_FIRST,
    )


def _convolution_padding(padding: Any, window: tuple[int, ...]) -> Padding:
    """Torch's `same` (stride 1 only) puts the odd element after."""
    if padding == "valid":
        return NO_PADDING
    if padding == "same":
        vertical, horizontal = (((k - 1) // 2, k // 2) for k in window)
        return vertical, horizontal
    return _both_sides(padding)


@imports("aten.max_pool2d.default")
def _max_pool2d(emitter: Emitter, node: FxNode) -> None:
    window, stride, padding, dilation, _ = arguments(node, None, [], 0, 1, False)
    if _pair(dilation) != (1, 1):
        raise refuse(node, f"a dilation of {dilation} is not imported")
    pool = _pool(node, window, stride, _both_sides(padding))
    emitter.emit("max_pool2d", node.args[:1], node, **pool)


@imports("aten.avg_pool2d.default")
def _avg_pool2d(emitter: Emitter, node: FxNode) -> None:
    """Torch counts padding as elements unless told not to, ours never: it becomes a node.

    What `ceil_mode` adds at the end is not counted by either.
    """
    window, stride, padding, _, counted, divisor = arguments(node, None, [], 0, False, True, None)
    if divisor is not None:
        raise refuse(node, "a divisor of one's own is not imported")
    given = _both_sides(padding)
    pool = _pool(node, window, stride, given)
    source: Any = node.args[0]
    if counted and given != NO_PADDING:
        edges = ((0, 0), (0, 0), *given)
        source = emitter.step("pad", [source], node, "padded", padding=edges, value=0.0)
        ends = zip(pool["padding"], given, strict=True)
        pool["padding"] = tuple((0, max(after - end, 0)) for (_, after), (_, end) in ends)
    emitter.emit("avg_pool2d", [source], node, **pool)


def _pool(node: FxNode, window: Any, stride: Any, padding: Padding) -> dict[str, Any]:
    """Attributes; as much padding after as the windows of the known output need, and no more."""
    sizes, steps = _pair(window), _pair(stride or window)
    source = node.args[0]
    assert isinstance(source, FxNode)
    axes = zip(shape_of(node)[2:], shape_of(source)[2:], sizes, steps, padding, strict=True)
    needed = tuple(
        (before, max((count - 1) * step + size - length - before, 0))
        for count, length, size, step, (before, _) in axes
    )
    return {"window": sizes, "stride": steps, "padding": needed, "channel_axis": CHANNELS_FIRST}


@imports("aten.adaptive_avg_pool2d.default")
def _adaptive_avg_pool2d(emitter: Emitter, node: FxNode) -> None:
    source = node.args[0]
    assert isinstance(source, FxNode)
    lengths, counts = shape_of(source)[2:], shape_of(node)[2:]
    if tuple(counts) == (1, 1):
        emitter.emit("mean", [source], node, axes=(2, 3), keep=True)
        return
    if any(length % count for length, count in zip(lengths, counts, strict=True)):
        raise refuse(node, f"{tuple(lengths)} does not divide into {tuple(counts)} equal windows")
    window = [length // count for length, count in zip(lengths, counts, strict=True)]
    emitter.emit("avg_pool2d", [source], node, **_pool(node, window, window, NO_PADDING))


# ------------------------------------------------------------ shape
@imports("aten.pad.default", "aten.constant_pad_nd.default")
def _pad(emitter: Emitter, node: FxNode) -> None:
    defaults = (None, None) if "constant_pad" in str(node.target) else (None, "constant", None)
    ends, *mode, value = arguments(node, *defaults)
    if mode not in ([], ["constant"]) or min(ends) < 0:
        raise refuse(node, f"padding {ends} in mode {mode}: only added constants are imported")
    last_first = [(ends[i], ends[i + 1]) for i in range(0, len(ends), 2)]
    before = [(0, 0)] * (len(shape_of(node)) - len(last_first))
    padding = (*before, *reversed(last_first))
    emitter.emit("pad", node.args[:1], node, padding=padding, value=float(value or 0))


# ------------------------------------------------------------ numbers
def _pair(number: Any) -> tuple[int, int]:
    """Torch gives one number, a list of one, or one per axis."""
    numbers = [number] if isinstance(number, int) else list(number)
    return (numbers[0], numbers[-1])


def _both_sides(padding: Any) -> Padding:
    vertical, horizontal = _pair(padding)
    return (vertical, vertical), (horizontal, horizontal)
