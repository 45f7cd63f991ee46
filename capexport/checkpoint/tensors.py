"""Bytes of a .pth file into dense float32 tensors, without running the code a pickle may carry."""

import pickle
import struct
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from io import BytesIO

import torch
from torch import Tensor

from capexport.checkpoint.archive import check_directory, opened
from capexport.checkpoint.limits import Limits
from capexport.checkpoint.torch_quantized import unpack_quantized
from capexport.checkpoint.torchao_tensors import TorchaoInt8, refuse_other_kinds, torchao_names
from capexport.errors import CheckpointError

ZIP_MAGIC = b"PK\x03\x04"
PICKLE = ".pkl"
COUNTER = ".num_batches_tracked"
"""End of the keys of a whole number that BatchNorm needs in training only."""
FLOATS = (torch.float32, torch.float16, torch.bfloat16)
UNREADABLE = (
    pickle.UnpicklingError,
    struct.error,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What torch.load raises on bytes that are no sound state dictionary."""

_SPARSE_VALIDATION: Callable[[bool], AbstractContextManager[object]] = (
    torch.sparse.check_sparse_tensor_invariants
)


def read_tensors(
    data: bytes,
    where: str,
    limits: Limits,
    *,
    skip: tuple[str, ...] = (),
) -> dict[str, Tensor]:
    """Tensors of a state dictionary, dense float32 on the CPU, in file order.

    Reads both containers of torch.save (zip since 1.6, a row of pickles before), tensors saved
    from a GPU, COO matrices, half precision, and int8 of torch.ao and of torchao, which stays on
    its grid. Names that end in one of `skip` are left out, BatchNorm's counters too.

    Raises:
        CheckpointError: the file is damaged, holds code or anything but floating-point tensors, or
            declares more elements than `limits` allow (checked before anything is made dense).
        UnsupportedError: weights are in another form of torchao's.
    """
    if data.startswith(ZIP_MAGIC):
        _check_container(data, where, limits)
    state = _load(data, where)
    if isinstance(state, Mapping):
        state = {
            name: value for name, value in unpack_quantized(state).items() if not _ends(name, skip)
        }
    named = _only_tensors(state, where)
    for name, tensor in named.items():
        _check_kind(tensor, f"{where}: {name}")
    check_elements(named, where, limits)
    return {name: _dense(tensor, f"{where}: {name}") for name, tensor in named.items()}


def _ends(name: object, endings: tuple[str, ...]) -> bool:
    return isinstance(name, str) and name.endswith(endings)


def require_finite(tensors: Mapping[str, Tensor], where: str) -> None:
    """CheckpointError at the first tensor that holds NaN or infinity."""
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise CheckpointError(
                "a weight is NaN or infinite",
                where=f"{where}: {name}",
                hint="the training run diverged, or half precision overflowed: use another file",
            )


def _check_container(data: bytes, where: str, limits: Limits) -> None:
    """Bound what torch will unpack (it inflates compressed records) and compare every checksum."""
    with opened(BytesIO(data), where, "the .pth file") as archive:
        most = limits.weights_bytes
        members = check_directory(archive, where, most_bytes=most, limits=limits)
        pickled = max((m.file_size for m in members if m.filename.endswith(PICKLE)), default=0)
        if pickled > limits.pickle_bytes:
            raise CheckpointError(
                f"the pickle in the .pth file has {pickled} bytes, more than {limits.pickle_bytes}",
                where=where,
                hint="a state dictionary's pickle holds names and shapes only",
            )
        # torch does not compare the checksums: a flipped bit would become a wrong weight
        broken = archive.testzip()
    if broken is not None:
        raise CheckpointError(
            "the .pth file is damaged: a record does not match its checksum",
            where=f"{where}: {broken}",
            hint="fetch the file again",
        )


def _load(data: bytes, where: str) -> object:
    # indices are validated in _dense, after the sizes: it can take for ever on a hostile tensor
    with _SPARSE_VALIDATION(False), torchao_names():
        try:
            return torch.load(BytesIO(data), map_location="cpu", weights_only=True)
        except UNREADABLE as error:
            refuse_other_kinds(str(error), where)
            raise CheckpointError(
                f"the .pth file is damaged, or holds more than tensors: {_first_line(error)}",
                where=where,
                hint="fetch it again; capexport reads plain tensors and runs no code from a file",
            ) from error


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def _only_tensors(state: object, where: str) -> dict[str, Tensor]:
    hint = "pass the trainer's model_best*.pth, a flat dictionary of name and tensor"
    if not isinstance(state, Mapping) or not state:
        kind = type(state).__name__
        raise CheckpointError(
            f"the .pth file holds {kind}, not a state dictionary", where=where, hint=hint
        )
    named: dict[str, Tensor] = {}
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            kind = type(value).__name__
            raise CheckpointError(
                f"an entry is {kind}, not a tensor", where=f"{where}: {name}", hint=hint
            )
        if not name.endswith(COUNTER):
            named[name] = value if isinstance(value, TorchaoInt8) else value.detach()
    return named


def check_elements(named: Mapping[str, Tensor], where: str, limits: Limits) -> None:
    """CheckpointError when the tensors declare more elements than `limits` allow."""
    total = 0
    for name, tensor in named.items():
        total += max(_declared(tensor))
        if total > limits.elements:
            raise CheckpointError(
                f"the tensors declare more than {limits.elements} elements",
                where=f"{where}: {name}, shape {tuple(tensor.shape)}",
                hint="the file is damaged or made to exhaust memory",
            )


def _check_kind(tensor: Tensor, where: str) -> None:
    if isinstance(tensor, TorchaoInt8):
        tensor.check(where)
        return
    coo = tensor.layout is torch.sparse_coo
    if tensor.dtype not in (*FLOATS, torch.qint8) or not (coo or tensor.layout is torch.strided):
        raise CheckpointError(
            f"a tensor is {tensor.dtype}, {tensor.layout}",
            where=where,
            hint="capexport reads float32 and float16, dense or COO: save the model again so",
        )
    if coo and tensor.dense_dim():
        raise CheckpointError(
            "a sparse tensor has dense dimensions", where=where, hint="save the model again as COO"
        )


def _declared(tensor: Tensor) -> Iterable[int]:
    """Element counts behind one tensor; views can declare far more than they store."""
    if tensor.layout is torch.sparse_coo:
        return _elements(tensor), tensor._values().numel(), tensor._indices().numel()
    return (_elements(tensor),)


def _elements(tensor: Tensor) -> int:
    # not numel(): torch's 64-bit product can wrap round for a hostile shape
    count = 1
    for length in tensor.shape:
        count *= length
    return count


def _dense(tensor: Tensor, where: str) -> Tensor:
    """Float32 copy with its own contiguous memory."""
    if isinstance(tensor, TorchaoInt8):
        return tensor.weight()
    if tensor.is_quantized:
        return tensor.dequantize().contiguous()
    if tensor.layout is torch.strided:
        return tensor.float().contiguous()
    try:
        checked = torch.sparse_coo_tensor(
            tensor._indices(), tensor._values().float(), tensor.shape, check_invariants=True
        )
    except (RuntimeError, ValueError, IndexError) as error:
        raise CheckpointError(
            f"a sparse tensor is damaged: {_first_line(error)}",
            where=where,
            hint="fetch the file again",
        ) from error
    return checked.to_dense()
