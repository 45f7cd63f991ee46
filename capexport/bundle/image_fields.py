"""Image preprocessing <-> its part of manifest.json, which bundles of region features lack."""

from typing import Any

from capexport.bundle.fields import Fields
from capexport.spec.image import CROP, FILTERS, STRETCH, Filter, ImageSpec
from capexport.spec.signature import IMAGE, CaptionerSignature, TensorSpec

KEY = "image"
MOST_PIXELS = 4096
"""Per side: far beyond any image encoder, small enough to allocate."""


def image_fields(image: ImageSpec | None) -> dict[str, Any]:
    """JSON values under the key of the manifest; empty for a captioner of region features."""
    if image is None:
        return {}
    sizes = {"height": image.height, "width": image.width}
    if image.short_side is None:
        return {KEY: {**sizes, "resize": image.filter, "crop": STRETCH}}
    return {KEY: {**sizes, "short_side": image.short_side, "resize": image.filter, "crop": CROP}}


def read_image(manifest: Fields, signature: CaptionerSignature) -> ImageSpec | None:
    """The captioner's rule; BundleError when it is wrong, or the encoder's inputs are not its."""
    takes_image = any(spec.name == IMAGE for spec in signature.inputs)
    if KEY not in manifest.raw():
        if takes_image:
            manifest.fail("the encoder takes an image, but nothing says how to make it")
        return None
    fields = manifest.child(KEY)
    image = read_rule(fields)
    if signature.inputs != (TensorSpec(IMAGE, image.shape, "uint8"),):
        fields.fail(f"the encoder does not take an image of {list(image.shape)}")
    return image


def read_rule(fields: Fields) -> ImageSpec:
    """The rule; BundleError when it is wrong."""
    height, width = (fields.integer(side, 1, MOST_PIXELS + 1) for side in ("height", "width"))
    short_side = None
    if fields.optional_text("crop") != STRETCH:
        fields.expect("crop", CROP)
        short_side = fields.integer("short_side", max(height, width), 2**16)
    return ImageSpec(height, width, short_side, _filter(fields))


def _filter(fields: Fields) -> Filter:
    name = fields.text("resize")
    for known in FILTERS:
        if name == known:
            return known
    fields.fail(f"resize is {name!r}, it must be one of {', '.join(FILTERS)}")
