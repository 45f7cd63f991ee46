"""An interrupted run's tensors <-> a file beside its output."""

import os
import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from capexport.errors import InputError


def save_state(file: Path, run: Mapping[str, object], tensors: Mapping[str, Tensor]) -> None:
    """Write next to the file and rename: a kill leaves the last whole state.

    Args:
        run: what the run depends on, plain values.
    """
    beside = file.with_name(file.name + ".new")
    torch.save({"run": dict(run), "tensors": dict(tensors)}, beside)
    os.replace(beside, file)


def load_state(
    file: Path, run: Mapping[str, object], shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, Tensor]:
    """The tensors that `save_state` wrote; none where there is no file.

    Raises:
        InputError: it is damaged, of another run, or a tensor is not one of `shapes`.
    """
    if not file.exists():
        return {}
    hint = "remove the file to start anew"
    try:
        saved = torch.load(file, map_location="cpu", weights_only=True)
        of_run, tensors = saved["run"], dict(saved["tensors"])
    except (
        pickle.UnpicklingError,
        RuntimeError,
        LookupError,
        EOFError,
        TypeError,
        ValueError,
    ) as e:
        raise InputError("the state cannot be read", where=str(file), hint=hint) from e
    fits = all(shapes.get(name) == tuple(t.shape) for name, t in tensors.items())
    if of_run != run or not fits:
        raise InputError(
            "the state belongs to another run",
            where=str(file),
            hint=f"{hint}, or repeat the command that it was made with",
        )
    return tensors
