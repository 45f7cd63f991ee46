"""State dictionaries that torch.ao.quantization wrote: packed linears into plain names."""

from collections.abc import Mapping

PACKED = "._packed_params._packed_params"
PACKED_DTYPE = "._packed_params.dtype"
ACTIVATION = (".scale", ".zero_point")


def unpack_quantized(state: Mapping[object, object]) -> dict[object, object]:
    """`X._packed_params._packed_params` = (weight, bias) becomes `X.weight` and `X.bias`.

    The weights stay quantized tensors. What says how activations were quantized is left out: they
    are quantized by the recipe of the export. Other state dictionaries come back as they are.
    """
    layers = {
        name.removesuffix(PACKED)
        for name in state
        if isinstance(name, str) and name.endswith(PACKED)
    }
    unpacked: dict[object, object] = {}
    for name, value in state.items():
        if not isinstance(name, str) or not _layer(name) or _layer(name) not in layers:
            unpacked[name] = value
        elif name.endswith(PACKED) and isinstance(value, tuple) and len(value) == 2:
            weight, bias = value
            unpacked[f"{_layer(name)}.weight"] = weight
            if bias is not None:
                unpacked[f"{_layer(name)}.bias"] = bias
        elif name.endswith(PACKED):
            unpacked[name] = value  # for the reader to refuse
    return unpacked


def _layer(name: str) -> str:
    """Name of the quantized layer that an entry belongs to, empty for other entries."""
    for ending in (PACKED, PACKED_DTYPE, *ACTIVATION):
        if name.endswith(ending):
            return name.removesuffix(ending)
    return ""
