package org.capexport.core;

/** How a picture becomes the encoder's input: uint8 RGB [1, height, width, 3]. */
public final class ImageSpec {
  /** The integer filters of Resampler; the names are the manifest's. */
  public enum Filter {
    BILINEAR("bilinear-antialias-q22"),
    BICUBIC("bicubic-antialias-q22");

    final String label;

    Filter(String label) {
      this.label = label;
    }
  }

  private static final int MOST_PIXELS = 4096;
  private static final int MOST_SIDE = 65535;

  public final int height;
  public final int width;
  /** What the picture's shorter side becomes before the crop; 0: it is stretched to the window. */
  public final int shortSide;
  public final Filter filter;

  public ImageSpec(int height, int width, int shortSide, Filter filter) {
    this.height = height;
    this.width = width;
    this.shortSide = shortSide;
    this.filter = filter;
  }

  /** The rule; null where the encoder takes region features. */
  static ImageSpec read(Fields manifest, Signature signature) throws CaptionException {
    boolean takesImage = Signature.names(signature.inputs).contains(Signature.IMAGE);
    if (!manifest.has("image")) {
      if (!takesImage) return null;
      throw manifest.fail("the encoder takes an image, but nothing says how to make it");
    }
    ImageSpec image = read(manifest.child("image"));
    int[] shape = {1, image.height, image.width, 3};
    TensorSpec expected = new TensorSpec(Signature.IMAGE, DType.UINT8, shape, new String[4]);
    if (signature.inputs.size() != 1
        || !signature.inputs.get(0).toString().equals(expected.toString()))
      throw manifest.fail("the encoder does not take " + expected);
    return image;
  }

  private static ImageSpec read(Fields fields) throws CaptionException {
    int height = fields.integer("height", 1, MOST_PIXELS);
    int width = fields.integer("width", 1, MOST_PIXELS);
    String crop = fields.text("crop");
    int shortSide = 0;
    if (!crop.equals("none")) {
      fields.expect("crop", "centre");
      shortSide = fields.integer("short_side", Math.max(height, width), MOST_SIDE);
    }
    String resize = fields.text("resize");
    for (Filter filter : Filter.values())
      if (filter.label.equals(resize)) return new ImageSpec(height, width, shortSide, filter);
    throw fields.fail("resize is " + resize + ", which this library does not know");
  }
}
