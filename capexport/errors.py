"""Errors that a user can cause: each says what happened, where, and how to mend it."""


class CapexportError(Exception):
    """Base of every error that the command line prints as three lines.

    Args:
        what: what went wrong, one sentence without a final full stop.
        where: file, key, layer or input that it happened in.
        hint: what the user can do about it.
    """

    def __init__(self, what: str, *, where: str, hint: str) -> None:
        super().__init__(what, where, hint)
        self.what, self.where, self.hint = what, where, hint

    def __str__(self) -> str:
        return f"{self.what}\n  where: {self.where}\n  hint: {self.hint}"


class CheckpointError(CapexportError):
    """A trainer's file is damaged, hostile, incomplete or of an unknown kind."""


class UnsupportedError(CapexportError):
    """The input is sound, but capexport has no way to convert it."""


class GraphError(CapexportError):
    """An IR graph breaks one of its invariants."""


class BundleError(CapexportError):
    """A bundle is damaged, changed, incomplete or of a newer schema."""


class InputError(CapexportError):
    """Features, images or options that do not fit the model."""


class RuntimeMissingError(CapexportError):
    """A runtime or package that the command needs is not installed."""


class DeviceError(CapexportError):
    """A device cannot be reached, or fails in what it was asked to do."""
