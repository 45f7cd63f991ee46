"""torch modules -> IR graphs."""

from capexport.capture.capture import capture

__all__ = ["capture"]
