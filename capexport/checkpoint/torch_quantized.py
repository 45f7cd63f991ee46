"""State dictionaries that torch.ao.quantization wrote: packed linears into plain names."""

from collections.abc import Mapping

from torch import Tensor

PACKED = "._packed_params._packed_params"
PACKED_DTYPE = "._packed_params.dtype"
SCALE, ZERO_POINT = ".scale", ".zero_point"


def unpack_quantized(state: Mapping[object, object]) -> dict[object, object]:
    """`X._packed_params._packed_params` = (weight, bias) becomes `X.weight` and `X.bias`.

    The weights stay quantized tensors. What says how activations were quantized is left out (of
    static quantization `X.scale` and `X.zero_point` of a layer, of a stub that quantizes the
    inputs, of an addition): they are quantized by the recipe of the export. Other state
    dictionaries come back as they are.
    """
    if not any(isinstance(name, str) and name.endswith(PACKED) for name in state):
        return dict(state)
    unpacked: dict[object, object] = {}
    for name, value in state.items():
        if not isinstance(name, str):
            unpacked[name] = value
        elif name.endswith(PACKED) and isinstance(value, tuple) and len(value) == 2:
            layer = name.removesuffix(PACKED)
            unpacked[f"{layer}.weight"], bias = value
            if bias is not None:
                unpacked[f"{layer}.bias"] = bias
        elif not name.endswith(PACKED_DTYPE) and not _is_of_activations(name, state):
            unpacked[name] = value  # a packed entry that is no pair is for the reader to refuse
    return unpacked


def _is_of_activations(name: str, state: Mapping[object, object]) -> bool:
    """Whether an entry is one of the pair that says how an activation was quantized."""
    for ending in (SCALE, ZERO_POINT):
        if name.endswith(ending):
            layer = name.removesuffix(ending)
            pair = (state.get(layer + SCALE), state.get(layer + ZERO_POINT))
            return all(isinstance(value, Tensor) and value.numel() == 1 for value in pair)
    return False
