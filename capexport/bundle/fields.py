"""Typed access to parsed JSON: every wrong or missing value is a BundleError that names its key."""

from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar

from capexport.errors import BundleError

T = TypeVar("T")

_JSON_NAMES = {
    str: "a string",
    int: "an integer",
    bool: "true or false",
    list: "an array",
    dict: "an object",
}


class Fields:
    """One JSON object. `where` names it in errors, such as `manifest.json: signature.states[2]`."""

    def __init__(self, value: object, where: str) -> None:
        self.where = where
        self._fields: dict[str, Any] = self._of_kind(value, dict, "the value")

    def text(self, key: str) -> str:
        return self._get(key, str)

    def optional_text(self, key: str) -> str | None:
        return self.text(key) if key in self._fields else None

    def boolean(self, key: str) -> bool:
        return self._get(key, bool)

    def number(self, key: str, most: float) -> float:
        """A number from -most to most, whole or not."""
        value: Any = self._fields.get(key)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (number and -most <= value <= most):
            self.fail(f"{key} must be a number up to {most}, it is {value!r:.60}")
        return float(value)

    def integer(self, key: str, low: int, below: int | None = None) -> int:
        """The number; it must be at least `low`, and less than `below` when that is given."""
        number = self._get(key, int)
        if number < low or (below is not None and number >= below):
            limit = f"at least {low}" if below is None else f"from {low} to {below - 1}"
            self.fail(f"{key} is {number}, it must be {limit}")
        return number

    def optional_integer(self, key: str, low: int, below: int) -> int | None:
        """The number, or None where the file says null."""
        if key in self._fields and self._fields[key] is None:
            return None
        return self.integer(key, low, below)

    def array(self, key: str) -> list[Any]:
        return self._get(key, list)

    def child(self, key: str) -> "Fields":
        return Fields(self._get(key, dict), f"{self.where}.{key}")

    def children(self, key: str) -> list["Fields"]:
        items = enumerate(self.array(key))
        return [Fields(item, f"{self.where}.{key}[{i}]") for i, item in items]

    def named_children(self, key: str) -> dict[str, "Fields"]:
        """An object of objects."""
        child = self.child(key)
        return {name: child.child(name) for name in child.raw()}

    def raw(self) -> Mapping[str, Any]:
        return self._fields

    def expect(self, key: str, value: str) -> None:
        """Raise unless the field says exactly `value`."""
        if (given := self.text(key)) != value:
            self.fail(f"{key} is {given!r}, the schema fixes it to {value!r}")

    def fail(self, what: str) -> NoReturn:
        raise BundleError(what, where=self.where, hint="export the bundle again")

    def _get(self, key: str, kind: type[T]) -> T:
        if key not in self._fields:
            self.fail(f"the key {key!r} is missing")
        return self._of_kind(self._fields[key], kind, key)

    def _of_kind(self, value: object, kind: type[T], name: str) -> T:
        # JSON's true is no number, although Python's True is an int.
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self.fail(f"{name} must be {_JSON_NAMES[kind]}, it is {value!r:.60}")
        return value
