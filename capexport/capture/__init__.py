"""torch modules -> IR graphs."""

from capexport.capture import image_importers, shape_importers  # they register themselves
from capexport.capture.capture import capture

__all__ = ["capture", "image_importers", "shape_importers"]
