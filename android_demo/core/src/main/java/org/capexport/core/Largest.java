package org.capexport.core;

/** The few largest of many sums, largest first; among equals the one that came first. */
final class Largest {
  final float[] values;
  final int[] places;
  int count;

  /** What a value must exceed; not a number as long as there is room for any. */
  float least = Float.NaN;

  Largest(int most) {
    values = new float[most];
    places = new int[most];
  }

  void clear() {
    count = 0;
    least = Float.NaN;
  }

  /** Takes a value above `least`; places must come in rising order. */
  void offer(float value, int place) {
    if (count == values.length) count--;
    int at = count++;
    for (; at > 0 && value > values[at - 1]; at--) {
      values[at] = values[at - 1];
      places[at] = places[at - 1];
    }
    values[at] = value;
    places[at] = place;
    if (count == values.length) least = values[count - 1];
  }
}
