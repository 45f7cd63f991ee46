"""Arithmetic of static int8: values whose scale is known before the model runs.

Scheme: B. Jacob et al., "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference", CVPR 2018, with the sums scaled in float32 as XNNPACK and
onnxruntime do it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from capexport.errors import GraphError
from capexport.ir.graph import Array, Constant, TensorQuantization
from capexport.ir.windows import convolve


@dataclass(frozen=True, eq=False)
class Quantized:
    """int8 or uint8 numbers of a value, and their meaning."""

    data: Array
    meaning: TensorQuantization

    def dequantized(self) -> Array:
        """The real numbers, float32."""
        steps = self.data.astype(np.int32) - self.meaning.zero_point
        return steps.astype(np.float32) * np.float32(self.meaning.scale)


def quantize(x: Array, meaning: TensorQuantization) -> Quantized:
    """The nearest int8, a tie to the even step; what is out of range becomes its end."""
    return _saturated(x / np.float32(meaning.scale), meaning)


def int8_convolution(
    meaning: TensorQuantization, x: Any, weight: Any, bias: Any, **attributes: Any
) -> Quantized:
    """Exact integer sums, times one float32 per output channel, rounded, shifted, saturated.

    Saturation is the activation: the range of a value after relu starts at 0.

    Args:
        x: int8; padding is its zero point.
        weight: int8 [out, ...] with a scale per output.
        bias: int32 [out], its scale the product of x's and the weight's.
    """
    if (
        not isinstance(x, Quantized)
        or not isinstance(weight, Constant)
        or weight.quantization is None
        or bias.dtype != "int32"
    ):
        raise GraphError(
            "an int8 convolution reads a float",
            where="conv2d",
            hint="this is a defect: report the model",
        )
    del attributes["activation"]
    steps = x.data.astype(np.float64) - x.meaning.zero_point  # doubles hold these sums exactly
    sums = convolve(steps, weight.data.astype(np.float64), **attributes)
    channels = [1] * sums.ndim
    channels[attributes["channel_axis"]] = -1
    sums += bias.data.reshape(channels)
    scale = np.float32(x.meaning.scale) * weight.quantization.scale.astype(np.float32)
    factor = (scale / np.float32(meaning.scale)).astype(np.float32)
    return _saturated(sums.astype(np.float32) * factor.reshape(channels), meaning)


def _saturated(steps: Array, meaning: TensorQuantization) -> Quantized:
    limits = np.iinfo(np.int8)
    numbers = np.clip(np.rint(steps) + meaning.zero_point, limits.min, limits.max)
    return Quantized(numbers.astype(np.int8), meaning)
