"""Numbers of a checkpoint's configuration, checked where an architecture reads them."""

from collections.abc import Mapping
from typing import Any

from capexport.errors import CheckpointError, UnsupportedError

Config = Mapping[str, Any]


def size(config: Config, key: str, default: int | None = None) -> int:
    """A positive whole number.

    Raises:
        CheckpointError: it is missing (and has no default) or is something else.
    """
    value = config.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise CheckpointError(
            f"{key} is {str(value)[:40]}, it should be a positive whole number",
            where=f"configuration: {key}",
            hint="use the configuration that the trainer wrote next to the weights",
        )
    return value


def choice(config: Config, key: str, supported: tuple[Any, ...], default: Any) -> Any:
    """One of the values that capexport can convert.

    Raises:
        UnsupportedError: it is another one.
    """
    value = config.get(key, default)
    if value not in supported:
        raise UnsupportedError(
            f"{key} is {str(value)[:40]!r}",
            where=f"configuration: {key}",
            hint=f"capexport converts {key} {' or '.join(map(str, supported))}",
        )
    return value
