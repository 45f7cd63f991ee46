"""torch modules -> IR graphs."""

from capexport.capture import image_importers, shape_importers  # they register themselves
from capexport.capture.capture import capture
from capexport.capture.graphs import capture_graphs

__all__ = ["capture", "capture_graphs", "image_importers", "shape_importers"]
