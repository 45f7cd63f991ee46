package org.capexport.core;

import java.util.List;
import java.util.Map;

/** Name, shape and type of a graph's input or output; an axis has a length, or a name. */
public final class TensorSpec {
  static final String BEAMS = "beams";

  public final String name;
  public final DType type;
  private final int[] lengths; // 0 where the axis has a name
  private final String[] axes; // null where it has a length

  TensorSpec(String name, DType type, int[] lengths, String[] axes) {
    this.name = name;
    this.type = type;
    this.lengths = lengths;
    this.axes = axes;
  }

  static TensorSpec read(Fields fields) throws CaptionException {
    List<?> shape = fields.array("shape");
    int[] lengths = new int[shape.size()];
    String[] axes = new String[shape.size()];
    for (int i = 0; i < lengths.length; i++) {
      Object dimension = shape.get(i);
      if (dimension instanceof String && !((String) dimension).isEmpty())
        axes[i] = (String) dimension;
      else lengths[i] = length(fields, dimension);
    }
    return new TensorSpec(fields.text("name"), DType.read(fields), lengths, axes);
  }

  private static int length(Fields fields, Object dimension) throws CaptionException {
    if (dimension instanceof JsonNumber && ((JsonNumber) dimension).isInteger()) {
      double value = ((JsonNumber) dimension).value();
      if (value >= 1 && value <= Integer.MAX_VALUE) return (int) value;
    }
    throw fields.fail("a dimension is " + dimension + ", neither a positive length nor a name");
  }

  public int rank() {
    return lengths.length;
  }

  /** Whether axis i has the name. */
  boolean isAxis(int i, String axis) {
    return axis.equals(axes[i]);
  }

  /** The length of axis i, 0 where it has a name. */
  int length(int i) {
    return lengths[i];
  }

  /**
   * Whether `shape` fits. A named axis is not empty and of one length wherever it occurs: `known`
   * holds the lengths by name, and gets those of new names.
   */
  boolean fits(int[] shape, Map<String, Integer> known) {
    if (shape.length != lengths.length) return false;
    for (int i = 0; i < shape.length; i++) {
      int wanted = lengths[i];
      if (axes[i] != null) {
        if (!known.containsKey(axes[i])) known.put(axes[i], shape[i]);
        wanted = known.get(axes[i]);
      }
      if (shape[i] != wanted || shape[i] == 0) return false;
    }
    return true;
  }

  @Override
  public String toString() {
    StringBuilder out = new StringBuilder(name).append(' ').append(type.label).append(" [");
    for (int i = 0; i < lengths.length; i++)
      out.append(i == 0 ? "" : ", ").append(axes[i] == null ? String.valueOf(lengths[i]) : axes[i]);
    return out.append(']').toString();
  }
}
