"""What TFLite's int8 layers compute, in plain numpy: the oracle of the delegate's results."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from stock_files import RELU, RELU6, X_SCALE, X_ZERO, Y_ZERO, Layer

from capexport.ir.evaluate import quantize_rows


def meaning(layer: Layer, x: NDArray[Any]) -> NDArray[Any]:
    """[..., k] -> [n, m]: float32 for float32, int8 for int8."""
    rows = x.reshape(-1, layer.weight.shape[1])
    return _static(layer, rows) if layer.static else _hybrid(layer, rows)


def _hybrid(layer: Layer, x: NDArray[np.float32]) -> NDArray[np.float32]:
    """XNNPACK's qd8: scale and bias are one fused multiply-add, exact here in float64."""
    quantized, x_scale, zero = quantize_rows(x)
    exact = (quantized - zero).astype(np.int64) @ layer.weight.T.astype(np.int64)
    scaled = (exact.astype(np.float32) * x_scale).astype(np.float64)
    bias = np.float32(0) if layer.bias is None else layer.bias
    y = (scaled * layer.scale + bias).astype(np.float32)
    return np.maximum(y, np.float32(0)) if layer.activation == RELU else y


def _static(layer: Layer, x: NDArray[np.int8]) -> NDArray[np.int8]:
    """XNNPACK's qs8, "fp32" requantization: one float32 factor per row, ties to even."""
    exact = (x.astype(np.int64) - X_ZERO) @ layer.weight.T.astype(np.int64)
    if layer.quantized_bias is not None:
        exact += layer.quantized_bias
    y_scale = np.float32(layer.y_scale)
    factor = np.float32(X_SCALE) * layer.scale / y_scale
    y = np.rint(exact.astype(np.float32) * factor) + Y_ZERO
    low = Y_ZERO if layer.activation in (RELU, RELU6) else -128
    six = np.rint(np.float32(6) / y_scale + np.float32(Y_ZERO))
    high = min(127, six) if layer.activation == RELU6 else 127
    return np.clip(y, low, high).astype(np.int8)
