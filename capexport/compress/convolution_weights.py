"""Weight and bias of a convolution -> int8 and int32, with what rounding shifts put right."""

import numpy as np

from capexport.compress.rows import quantize_rows
from capexport.ir.graph import Array, Constant, QuantParams, TensorQuantization

LARGEST_BIAS = 2.0**30
"""Steps; sums of products stay within int32 beside it."""
LEAST_FACTOR = 2.0**-31
"""XNNPACK takes no smaller ratio of the sum's step to the output's."""


def quantize_convolution(
    weight: Constant,
    bias: Array | None,
    x: TensorQuantization,
    y: TensorQuantization,
    *,
    mean: Array | None,
    offset: float,
    groups: int,
) -> tuple[Constant, Constant]:
    """int8 weight with a scale per output, int32 bias of the product's scale.

    Args:
        weight: float32 [out, in / groups, height, width].
        bias: float32 [out], or None.
        x, y: what the convolution's input and output mean.
        mean: of each input channel, float [in]: the bias makes up for what rounding the weights
            shifts the output by on average (M. Nagel et al., "Data-Free Quantization Through
            Weight Equalization and Bias Correction", ICCV 2019, section 4.2). None: it does not.
        offset: number that every element of the input is greater by than x says.
    """
    real = np.zeros(len(weight.data)) if bias is None else bias.astype(np.float64)
    real = real + offset * weight.data.sum((1, 2, 3), dtype=np.float64)
    quantized = _representable(quantize_rows(weight), weight.data, real, x, y)
    if mean is not None:
        real = real + _shift(weight.data - quantized.dequantized(), mean, groups)
    assert quantized.quantization is not None
    scale = (np.float32(x.scale) * quantized.quantization.scale).astype(np.float32)
    limit = np.iinfo(np.int32)
    steps = np.clip(np.rint(real / scale), limit.min, limit.max).astype(np.int32)
    return quantized, Constant(f"{weight.name}.bias", steps, QuantParams(scale))


def _representable(
    quantized: Constant, weight: Array, bias: Array, x: TensorQuantization, y: TensorQuantization
) -> Constant:
    """Coarser scales where the bias or the output's scale would not fit: channels that hardly live.

    A row of zeros gets the coarsest of the others, so that its bias is as exact as theirs.
    """
    assert quantized.quantization is not None
    scale = quantized.quantization.scale.astype(np.float64)
    dead = ~weight.any((1, 2, 3))
    scale[dead] = scale[~dead].max() if not dead.all() else y.scale / x.scale / LARGEST_BIAS
    least = np.maximum(np.abs(bias) / (x.scale * LARGEST_BIAS), LEAST_FACTOR * y.scale / x.scale)
    coarse = np.maximum(scale, least).astype(np.float32)
    changed = coarse > quantized.quantization.scale
    data = quantized.data.copy()
    data[changed] = np.rint(weight[changed] / coarse[changed, None, None, None]).astype(np.int8)
    return Constant(quantized.name, data, QuantParams(coarse, axis=0))


def _shift(error: Array, mean: Array, groups: int) -> Array:
    """What the output moves by when the weight moves by `error`, for inputs at their mean."""
    per_input = error.sum((2, 3), dtype=np.float64).reshape(groups, -1, error.shape[1])
    shift: Array = np.einsum("goi,gi->go", per_input, mean.reshape(groups, -1)).ravel()
    return shift
