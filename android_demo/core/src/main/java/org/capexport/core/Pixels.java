package org.capexport.core;

/** A picture as Android's Bitmap.getPixels gives it: packed ARGB, not premultiplied, row by row. */
public final class Pixels {
  private static final int MOST_SIDE = 65535;

  public final int width;
  public final int height;

  private final int[] argb;
  private final int stride; // of the pixels as they lie in memory
  private final int storedHeight;
  private final int orientation;

  public Pixels(int[] argb, int width, int height) throws CaptionException {
    this(argb, width, height, 1);
  }

  /**
   * A picture that is to be turned; nothing is copied.
   *
   * @param orientation EXIF's number, 1 to 8; another one means no turn.
   */
  public Pixels(int[] argb, int width, int height, int orientation) throws CaptionException {
    if (width < 1 || height < 1 || (long) width * height != argb.length)
      throw new CaptionException(
          argb.length + " pixels are not " + width + " x " + height, "picture", "give all pixels");
    if (Math.max(width, height) > MOST_SIDE)
      throw new CaptionException(
          "a side is longer than " + MOST_SIDE + " pixels", "picture", "make it smaller");
    boolean isTransposed = orientation >= 5 && orientation <= 8;
    this.argb = argb;
    this.width = isTransposed ? height : width;
    this.height = isTransposed ? width : height;
    this.orientation = orientation;
    stride = width;
    storedHeight = height;
  }

  /** The pixels of an upright row as opaque RGB, into `row` [width]. */
  void readRow(int y, int[] row) {
    int at = index(0, y);
    int step = width == 1 ? 0 : index(1, y) - at;
    for (int x = 0; x < width; x++, at += step) row[x] = overWhite(argb[at]);
  }

  private int index(int x, int y) {
    boolean isTransposed = orientation >= 5 && orientation <= 8;
    boolean flipX = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    boolean flipY = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    int column = isTransposed ? y : x;
    int row = isTransposed ? x : y;
    if (flipX) column = stride - 1 - column;
    if (flipY) row = storedHeight - 1 - row;
    return row * stride + column;
  }

  /** The pixel without transparency: laid over white, rounded as Pillow's alpha_composite does. */
  private static int overWhite(int argb) {
    int alpha = argb >>> 24;
    if (alpha == 0xff) return argb;
    return overWhite(argb >> 16 & 0xff, alpha) << 16
        | overWhite(argb >> 8 & 0xff, alpha) << 8
        | overWhite(argb & 0xff, alpha);
  }

  private static int overWhite(int colour, int alpha) {
    int sum = (colour * alpha + 0xff * (0xff - alpha)) * 128 + (0x80 << 7);
    return ((sum >> 8) + sum >> 8) >> 7;
  }
}
