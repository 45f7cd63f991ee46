"""Which weights and which infos file of a training folder belong together.

The trainer writes model<append>.pth beside infos_<id><append>.pkl, where <append> is empty for the
last state, "-best" for the one that validated best, and "-<iteration>" for kept ones.
"""

import re

from capexport.checkpoint.source import WEIGHTS, Source
from capexport.errors import CheckpointError

INFOS = ".pkl"
PREFERENCE = ("model-best.pth", "model.pth")
"""Which weights to read of several when the user names none."""
_INFOS_NAME = re.compile(r"infos_.*?(-best|-\d+)?\.pkl")
_WEIGHTS_NAME = re.compile(r"model(-best|-\d+)?\.pth")


def infos_files(source: Source) -> list[str]:
    """Names of all infos files, sorted."""
    return [name for name in source.names(INFOS) if _INFOS_NAME.fullmatch(name)]


def choose_weights(source: Source) -> str:
    """The first of PREFERENCE, else the only model*.pth. CheckpointError otherwise."""
    names = [name for name in source.names(WEIGHTS) if name.startswith("model")]
    for name in PREFERENCE:
        if name in names:
            return name
    if len(names) == 1:
        return names[0]
    raise CheckpointError(
        f"there are {len(names)} model*.pth files, none of them {' or '.join(PREFERENCE)}",
        where=str(source.path),
        hint=f"pass the path of one: {', '.join(names[:5])}" if names else "add model.pth",
    )


def choose_infos(source: Source, weights_file: str) -> str:
    """The infos file of the same <append> as the weights; any, where there is only one."""
    names = infos_files(source)
    if len(names) == 1:
        return names[0]
    weights = _WEIGHTS_NAME.fullmatch(weights_file)
    same = [n for n in names if weights and _append(n) == weights[1]]
    if len(same) == 1:
        return same[0]
    raise CheckpointError(
        f"{len(same)} of {len(names)} infos files belong to {weights_file}",
        where=str(source.path),
        hint=f"keep one of them beside the weights: {', '.join((same or names)[:5])}",
    )


def _append(name: str) -> str | None:
    match = _INFOS_NAME.fullmatch(name)
    return match[1] if match else None
