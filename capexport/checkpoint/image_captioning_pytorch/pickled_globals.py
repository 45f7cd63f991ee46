"""The globals that an infos file may name, and the plain values that stand for their calls."""

from dataclasses import dataclass
from typing import Any

import numpy as np

BUILTINS = ("builtins", "__builtin__")
CONTAINERS = ("set", "frozenset", "list", "dict")
SCALARS = ("int", "float", "bool", "str", "object")
KNOWN = frozenset(
    {
        ("argparse", "Namespace"),
        ("copy_reg", "_reconstructor"),  # how protocol 0 makes a Namespace
        ("copyreg", "_reconstructor"),
        ("collections", "OrderedDict"),
        ("collections", "defaultdict"),
        ("_codecs", "encode"),
        ("numpy", "dtype"),
        ("numpy.core.multiarray", "scalar"),
        ("numpy._core.multiarray", "scalar"),
        *((module, name) for module in BUILTINS for name in (*CONTAINERS, *SCALARS)),
    }
)
NUMBERS = "biuf"
"""numpy kinds that a scalar may be of: bool, integers, floats."""
MOST_ENCODED = 64
"""Characters that `_codecs.encode` is called with; a number has at most 16."""


@dataclass(frozen=True)
class Global:
    """A name in the file, standing for what it would import."""

    module: str
    name: str


@dataclass
class Record:
    """An object as its class's name, its arguments and its state; the state is shared, not copied.

    Args:
        kind: "Namespace" or "dtype".
    """

    kind: str
    arguments: tuple[Any, ...]
    state: Any = None


def build(function: Global, arguments: tuple[Any, ...]) -> Any:
    """What the call would return, as a plain value or Record.

    Raises:
        TypeError, ValueError: a call that no infos file makes.
    """
    match function.name, arguments:
        case "_reconstructor", (Global(name="Namespace"), Global(name="object"), None):
            return Record("Namespace", ())
        case ("Namespace" | "dtype") as kind, _:
            return Record(kind, arguments)
        case (("OrderedDict" | "defaultdict"), (*_, list() as pairs)):
            return _dict(pairs)
        case (("OrderedDict" | "defaultdict" | "dict"), _):
            return {}
        case (("set" | "frozenset" | "list"), (list() as values,)):
            return values
        case (("set" | "frozenset" | "list"), ()):
            return []
        # the bytes of a numpy number; a long text could be copied millions of times
        case "encode", (str() as text, *_) if len(text) <= MOST_ENCODED:
            return text.encode("latin-1")
        case "scalar", (Record(kind="dtype") as dtype, (bytes() | str()) as data):
            return _number(dtype, data)
    raise TypeError(f"{function.name} is called in an unusual way")


def _dict(pairs: list[Any]) -> dict[str, Any]:
    result = {}
    for key, value in pairs:
        if not isinstance(key, str):
            raise TypeError(f"a key is {type(key).__name__}")
        result[key] = value
    pairs.clear()  # an honest file reads it once; a hostile one must not make it cost twice
    return result


def _number(dtype: Record, data: bytes | str) -> int | float | bool:
    """numpy's scalar: dtype arguments (code, ...), state (version, byte order, ...), raw bytes."""
    code, order = dtype.arguments[0], dtype.state[1] if dtype.state else "="
    if not isinstance(code, str) or code[:1] not in NUMBERS or order not in ("<", ">", "=", "|"):
        raise ValueError("a numpy scalar of an unusual kind")
    raw = data.encode("latin-1") if isinstance(data, str) else data
    (number,) = np.frombuffer(raw, np.dtype(order.replace("|", "=") + code)).tolist()
    if not isinstance(number, int | float):
        raise TypeError("a numpy scalar is no number")
    return number
