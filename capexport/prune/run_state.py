"""What an interrupted run has reached <-> a file beside its output."""

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from capexport.errors import InputError
from capexport.outputs import whole_file

Shapes = Mapping[str, tuple[int, ...]]


def save_state(
    file: Path, run: Mapping[str, object], tensors: Mapping[str, Tensor], **others: Any
) -> None:
    """Write the file; a kill leaves the last whole state.

    Args:
        run: what the run depends on, plain values.
        tensors: weights so far.
        others: what else the run goes on from: numbers, tensors, dictionaries of them.
    """
    with whole_file(file) as beside:
        torch.save({"run": dict(run), "tensors": dict(tensors), **others}, beside)


def load_state(
    file: Path,
    run: Mapping[str, object],
    shapes: Shapes,
    *,
    others: Sequence[str] = (),
    device: torch.device | None = None,
) -> dict[str, Any]:
    """What `save_state` wrote, `tensors` and `others`, on `device`.

    Raises:
        InputError: it is damaged, of another run, or a tensor is not one of `shapes`.
    """
    hint = "remove the file to start anew"
    damaged = InputError("the state cannot be read", where=str(file), hint=hint)
    try:
        saved = torch.load(file, map_location=device or "cpu", weights_only=True)
        of_run, found = saved.pop("run"), {n: tuple(t.shape) for n, t in saved["tensors"].items()}
    except (
        pickle.UnpicklingError,
        RuntimeError,
        LookupError,
        EOFError,
        TypeError,
        ValueError,
        AttributeError,
    ) as error:
        raise damaged from error
    if set(saved) != {"tensors", *others}:
        raise damaged
    if of_run != run or any(shapes.get(name) != shape for name, shape in found.items()):
        raise InputError(
            "the state belongs to another run",
            where=str(file),
            hint=f"{hint}, or repeat the command that it was made with",
        )
    result: dict[str, Any] = saved
    return result
