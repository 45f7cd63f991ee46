"""Bytes of a .safetensors file into dense float32 tensors."""

from torch import Tensor

from capexport.checkpoint.limits import Limits
from capexport.checkpoint.tensors import COUNTER, FLOATS, check_elements
from capexport.errors import CheckpointError


def read_safetensors(
    data: bytes, where: str, limits: Limits, *, skip: tuple[str, ...] = ()
) -> dict[str, Tensor]:
    """Tensors by name. Names that end in one of `skip` are left out, as are counters.

    The library holds the header against the file: none can declare what it lacks.

    Raises:
        CheckpointError: the file is damaged, has anything but floating-point tensors, or more
            elements than `limits` allow.
    """
    import safetensors.torch
    from safetensors import SafetensorError

    try:
        # The library gives another order each time.
        stored: dict[str, Tensor] = dict(sorted(safetensors.torch.load(data).items()))
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"the .safetensors file is damaged: {str(error)[:200]}",
            where=where,
            hint="fetch the file again",
        ) from error
    tensors = {name: t for name, t in stored.items() if not name.endswith((COUNTER, *skip))}
    for name, tensor in tensors.items():
        if tensor.dtype not in FLOATS:
            raise CheckpointError(
                f"a tensor is {tensor.dtype}",
                where=f"{where}: {name}",
                hint="capexport reads float32, float16 and bfloat16: save the model again so",
            )
    check_elements(tensors, where, limits)
    return {name: tensor.float() for name, tensor in tensors.items()}
