"""int8 weights as torchao saves them, read without torchao and without running any code of a file.

torchao (0.18) pickles a weight as an object of its own class around plain tensors. torch's
restricted unpickler is given classes of ours in the place of the few names that such files hold.
"""

import re
from contextlib import AbstractContextManager
from typing import Any, NoReturn, TypeGuard

import torch
from torch import Tensor

from capexport.errors import CheckpointError, UnsupportedError

_SETTINGS = (
    "torchao.quantization.quantize_.workflows.int8.int8_tensor.QuantizeTensorToInt8Kwargs",
    "torchao.quantization.granularity.PerRow",
    "torchao.quantization.granularity.PerTensor",
    "torchao.quantization.quant_primitives.MappingType",
)
"""How activations were to be quantized: here the recipe of the export says so."""
_FLOATS = (torch.float32, torch.bfloat16, torch.float16)
_CLASS = re.compile(r"\btorchao\.[\w.]+")


class TorchaoInt8(Tensor):
    """In the place of torchao's Int8Tensor: declares shape and dtype, and has plain parts.

    weight[i, j] = qdata[i, j] * scale[i, 0], or scale[0, 0]: torchao's dequantize_affine without
    zero points. It is kept in float32 whatever dtype the layer computed in.
    """

    parts: object = None

    def __setstate__(self, state: object) -> None:
        self.parts = state

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]  # torch declares it without cls
        cls, func: object, types: object, args: object = (), kwargs: object = None
    ) -> NoReturn:
        raise TypeError(f"{func} was called on weights that are still in torchao's form")

    def check(self, where: str) -> None:
        """CheckpointError or UnsupportedError unless the parts are int8 rows with their scales."""
        parts = self.parts
        if not isinstance(parts, dict):
            raise _damaged("it has no parts", where)
        qdata, scale, zero = (parts.get(name) for name in ("qdata", "scale", "zero_point"))
        if not (_is(qdata, torch.int8) and _is(scale, *_FLOATS)):
            raise _damaged("qdata or scale is missing, or of another type", where)
        if qdata.ndim != 2 or qdata.shape != self.shape:
            raise _damaged(f"{tuple(self.shape)} weights hold {tuple(qdata.shape)}", where)
        if tuple(scale.shape) not in ((len(qdata), 1), (1, 1)):
            raise _unsupported(f"scales of shape {tuple(scale.shape)}, not one per row", where)
        if parts.get("act_pre_scale") is not None:
            raise _unsupported("a scale of its inputs (SmoothQuant)", where)
        if zero is None:
            return
        if not _is(zero, torch.int8, *_FLOATS) or zero.shape != scale.shape:
            raise _damaged("zero_point is no tensor like scale", where)
        if zero.any():
            raise _unsupported("zero points", where)

    def weight(self) -> Tensor:
        """float32, exactly on torchao's grid; `check` first."""
        parts: Any = self.parts
        weight: Tensor = parts["qdata"].float() * parts["scale"].float()
        return weight.contiguous()


class _Setting:
    """In the place of torchao's settings, which are not read."""

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass


def torchao_names() -> AbstractContextManager[None]:
    """While it is open, torch's restricted unpickler takes torchao's names for classes of ours."""
    names: list[Any] = [(TorchaoInt8, "torchao.quantization.Int8Tensor")]
    names += [(_Setting, name) for name in _SETTINGS]
    context: AbstractContextManager[None] = torch.serialization.safe_globals(names)
    return context


def refuse_other_kinds(message: str, where: str) -> None:
    """UnsupportedError if the unpickler's `message` is about another class of torchao."""
    if found := _CLASS.search(message):
        raise UnsupportedError(
            f"weights are of the kind {found[0].strip('.')}, which is not read",
            where=where,
            hint="quantize with torchao 0.18's Int8WeightOnlyConfig() or "
            "Int8DynamicActivationInt8WeightConfig(), or export the float checkpoint",
        )


def _is(part: object, *dtypes: torch.dtype) -> TypeGuard[Tensor]:
    """Whether a part is a plain tensor of one of the types: no other class, layout or device."""
    return (
        type(part) is Tensor
        and part.dtype in dtypes
        and part.layout is torch.strided
        and part.device.type == "cpu"
    )


def _damaged(what: str, where: str) -> CheckpointError:
    return CheckpointError(
        f"an int8 tensor of torchao is damaged: {what}", where=where, hint="save the model again"
    )


def _unsupported(what: str, where: str) -> UnsupportedError:
    return UnsupportedError(
        f"an int8 tensor of torchao has {what}",
        where=where,
        hint="quantize with granularity PerRow() or PerTensor(), or export the float checkpoint",
    )
