"""Bytes of a pickle into plain values: its opcodes are carried out by hand, and nothing is called.

The pickle module imports and calls what a file names. Filtering the names leaves ways to hang or to
exhaust memory (hashes of nested tuples, huge memo numbers), so this reader knows only the opcodes
and the dozen globals that an infos file needs, and builds lists, dicts and scalars itself. Opcodes
and their arguments are those of the standard library's pickletools.
"""

import codecs
import pickletools
import struct
from collections.abc import Callable
from io import BytesIO
from typing import Any

from capexport.checkpoint.image_captioning_pytorch.pickled_globals import (
    KNOWN,
    Global,
    Record,
    build,
)
from capexport.errors import CheckpointError

KEYS = (str, int, float, bytes, type(None))
"""Types of a dict's keys: those whose hash is kept, or takes no time."""
MOST_KEY_BITS = 64
"""The hash of a longer number is made anew at every use, as slowly as it is long."""
DAMAGED = (
    ArithmeticError,
    EOFError,
    LookupError,
    MemoryError,
    TypeError,
    ValueError,
    struct.error,
)
"""What reading nonsense opcodes raises."""

_OPCODES = {op.code.encode("latin-1"): op for op in pickletools.opcodes}
_MARK = object()


def read_pickle(data: bytes, where: str) -> object:
    """The object in a pickle of any protocol up to 4, as plain values.

    A Namespace becomes a `Record`, OrderedDict and defaultdict a dict, a set a list, a numpy scalar
    a Python number, a Python 2 string text (latin-1, as the trainer reads it).

    Raises:
        CheckpointError: damaged, or it names a global or opcode that plain values do not need.
    """
    try:
        return _Machine(data).run()
    except DAMAGED as error:
        raise CheckpointError(
            f"the pickle is damaged: {error or type(error).__name__}",
            where=where,
            hint="fetch the file again",
        ) from error
    except _RefusedError as error:
        raise CheckpointError(
            f"the pickle {error}",
            where=where,
            hint="do not open it with pickle: it may run code; capexport reads plain values only",
        ) from error


class _RefusedError(Exception):
    """Something in the file that plain values do not need."""


class _Machine:
    """The pickle machine's stack and memo."""

    def __init__(self, data: bytes) -> None:
        self._file = BytesIO(data)
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def run(self) -> object:
        while True:
            op = _OPCODES[self._file.read(1)]
            argument = self._argument(op)
            if op.name == "STOP":
                return self._stack.pop()
            if op.name in _CONSTANTS:
                self._stack.append(argument)
            elif op.name in _ACTIONS:
                _ACTIONS[op.name](self, argument)
            elif op.name not in ("PROTO", "FRAME"):
                raise _RefusedError(f"uses opcode {op.name}")

    def _argument(self, op: pickletools.OpcodeInfo) -> Any:
        if op.name == "STRING":  # pickletools reads ASCII only; Python 2 wrote any byte so
            line = self._file.readline().strip()
            return codecs.escape_decode(line[1:-1])[0].decode("latin-1")
        return None if op.arg is None else op.arg.reader(self._file)

    def push(self, value: Any) -> None:
        self._stack.append(value)

    def pop(self) -> Any:
        return self._stack.pop()

    def pop_mark(self) -> list[Any]:
        """Everything above the last mark; the mark goes too."""
        for i in range(len(self._stack) - 1, -1, -1):
            if self._stack[i] is _MARK:
                values = self._stack[i + 1 :]
                del self._stack[i:]
                return values
        raise ValueError("a mark is missing")

    def pop_tuple(self, count: int) -> None:
        values = self._stack[-count:]
        del self._stack[-count:]
        self.push(tuple(values))

    def append(self, values: list[Any]) -> None:
        target = self._stack[-1]
        if not isinstance(target, list):
            raise TypeError("elements are added to something that is no list")
        target.extend(values)

    def set_items(self, pairs: list[Any]) -> None:
        target = self._stack[-1]
        if not isinstance(target, dict) or len(pairs) % 2:
            raise TypeError("items are set in something that is no dict")
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            long = isinstance(key, int) and key.bit_length() > MOST_KEY_BITS
            if not isinstance(key, KEYS) or long:
                raise TypeError(f"a key is {type(key).__name__}{', a long one' if long else ''}")
            target[key] = value

    def memoize(self, number: int) -> None:
        self._memo[number] = self._stack[-1]

    def recall(self, number: int) -> None:
        self.push(self._memo[number])

    def memoize_next(self) -> None:
        self.memoize(len(self._memo))

    def push_global(self, module: str, name: str) -> None:
        if (module, name) not in KNOWN:
            raise _RefusedError(f"names {module[:80]}.{name[:80]}")
        self.push(Global(module, name))

    def push_global_from_stack(self) -> None:
        name, module = self.pop(), self.pop()
        if not isinstance(module, str) or not isinstance(name, str):
            raise TypeError("the name of a global is no text")
        self.push_global(module, name)

    def reduce(self) -> None:
        arguments, function = self.pop(), self.pop()
        if not isinstance(function, Global) or not isinstance(arguments, tuple):
            raise TypeError("a call of something that is no global")
        self.push(build(function, arguments))

    def set_state(self) -> None:
        state, target = self.pop(), self._stack[-1]
        if not isinstance(target, Record):
            raise TypeError("state is given to something that has none")
        target.state = state


def _set_one(machine: _Machine) -> None:
    value, key = machine.pop(), machine.pop()
    machine.set_items([key, value])


def _new_dict(machine: _Machine) -> None:
    pairs = machine.pop_mark()
    machine.push({})
    machine.set_items(pairs)


_CONSTANTS = frozenset(
    {
        *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
        *("STRING", "BINSTRING", "SHORT_BINSTRING"),
        *("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
        *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
    }
)
"""Opcodes that push their own argument."""

_ACTIONS: dict[str, Callable[[_Machine, Any], None]] = {
    "NONE": lambda m, _: m.push(None),
    "NEWTRUE": lambda m, _: m.push(True),
    "NEWFALSE": lambda m, _: m.push(False),
    "EMPTY_LIST": lambda m, _: m.push([]),
    "EMPTY_SET": lambda m, _: m.push([]),
    "EMPTY_DICT": lambda m, _: m.push({}),
    "EMPTY_TUPLE": lambda m, _: m.push(()),
    "MARK": lambda m, _: m.push(_MARK),
    "LIST": lambda m, _: m.push(m.pop_mark()),
    "FROZENSET": lambda m, _: m.push(m.pop_mark()),
    "DICT": lambda m, _: _new_dict(m),
    "TUPLE": lambda m, _: m.push(tuple(m.pop_mark())),
    "TUPLE1": lambda m, _: m.pop_tuple(1),
    "TUPLE2": lambda m, _: m.pop_tuple(2),
    "TUPLE3": lambda m, _: m.pop_tuple(3),
    "APPEND": lambda m, _: m.append([m.pop()]),
    "APPENDS": lambda m, _: m.append(m.pop_mark()),
    "ADDITEMS": lambda m, _: m.append(m.pop_mark()),
    "SETITEM": lambda m, _: _set_one(m),
    "SETITEMS": lambda m, _: m.set_items(m.pop_mark()),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), lambda m, number: m.memoize(number)),
    "MEMOIZE": lambda m, _: m.memoize_next(),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), lambda m, number: m.recall(number)),
    "GLOBAL": lambda m, names: m.push_global(*names.split(" ", 1)),
    "STACK_GLOBAL": lambda m, _: m.push_global_from_stack(),
    "REDUCE": lambda m, _: m.reduce(),
    "NEWOBJ": lambda m, _: m.reduce(),
    "BUILD": lambda m, _: m.set_state(),
}
