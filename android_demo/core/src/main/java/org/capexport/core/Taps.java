package org.capexport.core;

/**
 * For every output pixel of one axis: which input pixels, with which integer weights. The rule and
 * its reasons are on docs/decisions/image-path.md of capexport; capexport/runtime/resample.py is
 * the same in Python.
 */
final class Taps {
  static final int PRECISION_BITS = 22;
  private static final int CUBIC_STEP_BITS = 14;
  private static final int CUBIC_BITS = 22;

  /** Taps of each output. */
  final int count;
  /** Input pixels, [outputs * count]. */
  final int[] source;
  /** Weights, [outputs * count]; those of an output sum to 2 ** PRECISION_BITS. */
  final int[] weight;

  /** The central `window` pixels when `length` pixels become `resized`. */
  Taps(int length, int resized, int window, ImageSpec.Filter filter) {
    long step = 2L * Math.max(length, resized);
    long reach = filter == ImageSpec.Filter.BILINEAR ? step : 2 * step;
    count = (int) (reach / resized) + 1;
    source = new int[window * count];
    weight = new int[window * count];
    long[] partial = new long[count];
    for (int i = 0; i < window; i++) {
      long centre = (2L * ((resized - window) / 2 + i) + 1) * length;
      // The first input whose distance is less than the reach; it may lie before the picture.
      long first = floorDivide(centre - reach - resized, 2L * resized) + 1;
      long total = 0;
      for (int tap = 0; tap < count; tap++) {
        long input = first + tap;
        long distance = Math.abs((2 * input + 1) * resized - centre);
        if (input >= 0 && input < length) total += height(filter, distance, step);
        partial[tap] = total;
        source[i * count + tap] = (int) Math.max(0, Math.min(input, length - 1));
      }
      setWeights(partial, total, i * count);
    }
  }

  /** Weights are differences of rounded partial sums, so that they add up to one exactly. */
  private void setWeights(long[] partial, long total, int at) {
    long before = 0;
    for (int tap = 0; tap < count; tap++) {
      long rounded = floorDivide((partial[tap] << (PRECISION_BITS + 1)) + total, 2 * total);
      weight[at + tap] = (int) (rounded - before);
      before = rounded;
    }
  }

  private static long height(ImageSpec.Filter filter, long distance, long step) {
    return filter == ImageSpec.Filter.BILINEAR
        ? Math.max(step - distance, 0)
        : cubic(distance, step);
  }

  /** Keys' cubic convolution with a = -1/2 (1981), in units of 2 ** -CUBIC_BITS. */
  private static long cubic(long distance, long step) {
    long one = 1L << CUBIC_STEP_BITS;
    long x = ((distance << (CUBIC_STEP_BITS + 1)) + step) / (2 * step);
    long twice = 0;
    if (x < one) twice = 3 * x * x * x - 5 * x * x * one + 2 * one * one * one;
    else if (x < 2 * one)
      twice = -x * x * x + 5 * x * x * one - 8 * x * one * one + 4 * one * one * one;
    return twice >> (3 * CUBIC_STEP_BITS + 1 - CUBIC_BITS);
  }

  /** Math.floorDiv is younger than the oldest Android that this library serves. */
  private static long floorDivide(long a, long b) {
    long quotient = a / b;
    return a % b < 0 ? quotient - 1 : quotient;
  }
}
