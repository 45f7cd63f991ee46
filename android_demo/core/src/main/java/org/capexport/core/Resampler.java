package org.capexport.core;

import java.nio.ByteBuffer;

/**
 * Pixels into a resized window of them, in integers only: the same bytes as Python's
 * resize_and_crop. First along the width, then, on those bytes, along the height.
 */
public final class Resampler {
  private static final int CHANNELS = 3;
  private static final int HALF = 1 << (Taps.PRECISION_BITS - 1);

  private Resampler() {}

  /** The window that `spec` describes: uint8 RGB [1, height, width, 3], in a direct buffer. */
  public static Tensor resizeAndCrop(Pixels pixels, ImageSpec spec) {
    Taps rows = taps(pixels, pixels.height, spec.height, spec);
    Taps columns = taps(pixels, pixels.width, spec.width, spec);
    int first = Integer.MAX_VALUE;
    int last = 0;
    for (int row : rows.source) {
      first = Math.min(first, row);
      last = Math.max(last, row);
    }
    byte[] narrowed = narrowed(pixels, columns, spec.width, first, last);
    Tensor window = new Tensor(DType.UINT8, 1, spec.height, spec.width, CHANNELS);
    shorten(narrowed, rows, first, spec, window.data);
    return window;
  }

  private static Taps taps(Pixels pixels, int length, int window, ImageSpec spec) {
    int shorter = Math.min(pixels.width, pixels.height);
    long resized = spec.shortSide == 0 ? window : (long) spec.shortSide * length / shorter;
    return new Taps(length, (int) resized, window, spec.filter);
  }

  /** The rows first to last, as wide as the window: [rows, width, 3]. */
  private static byte[] narrowed(Pixels pixels, Taps taps, int width, int first, int last) {
    byte[] out = new byte[(last - first + 1) * width * CHANNELS];
    int[] line = new int[pixels.width];
    for (int y = first, at = 0; y <= last; y++) {
      pixels.readRow(y, line);
      for (int x = 0; x < width; x++, at += CHANNELS) narrow(line, taps, x * taps.count, out, at);
    }
    return out;
  }

  private static void narrow(int[] line, Taps taps, int tap, byte[] out, int at) {
    int red = HALF;
    int green = HALF;
    int blue = HALF;
    for (int end = tap + taps.count; tap < end; tap++) {
      int pixel = line[taps.source[tap]];
      int weight = taps.weight[tap];
      red += (pixel >> 16 & 0xff) * weight;
      green += (pixel >> 8 & 0xff) * weight;
      blue += (pixel & 0xff) * weight;
    }
    out[at] = rounded(red);
    out[at + 1] = rounded(green);
    out[at + 2] = rounded(blue);
  }

  private static void shorten(
      byte[] narrowed, Taps taps, int first, ImageSpec spec, ByteBuffer out) {
    int stride = spec.width * CHANNELS;
    for (int y = 0; y < spec.height; y++)
      for (int x = 0; x < stride; x++) {
        int sum = HALF;
        for (int tap = y * taps.count; tap < (y + 1) * taps.count; tap++)
          sum += (narrowed[(taps.source[tap] - first) * stride + x] & 0xff) * taps.weight[tap];
        out.put(y * stride + x, rounded(sum));
      }
  }

  private static byte rounded(int sum) {
    return (byte) Math.max(0, Math.min(sum >> Taps.PRECISION_BITS, 0xff));
  }
}
