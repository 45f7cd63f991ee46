package org.capexport.core;

import java.util.LinkedHashMap;
import java.util.Map;

/** Region features of one image, for bundles whose encoder takes no pictures. */
public final class Features {
  private final Tensor att;
  private final Tensor fc;
  private final Tensor box;

  /**
   * @param att one row per region.
   * @param fc of the whole image; null: the mean over regions.
   * @param box relative x0, y0, x1, y1 in [0, 1] for each region; null: none.
   */
  public Features(float[][] att, float[] fc, float[][] box) throws CaptionException {
    this.att = tensor(att, "att");
    float[] whole = fc == null ? mean(att) : fc;
    this.fc = tensor(new float[][] {whole}, "fc");
    this.box = box == null ? null : tensor(box, "box");
  }

  /** What the encoder takes of it, by name. */
  Map<String, Tensor> inputs(Signature signature) throws CaptionException {
    Map<String, Tensor> inputs = new LinkedHashMap<String, Tensor>();
    for (TensorSpec spec : signature.inputs) {
      Tensor tensor = named(spec.name);
      if (tensor == null)
        throw new CaptionException(
            "the model needs " + spec.name, "features", "give a picture, or all parts");
      inputs.put(spec.name, tensor);
    }
    return inputs;
  }

  private Tensor named(String name) {
    if (name.equals("att")) return att;
    if (name.equals("fc")) return fc;
    return name.equals("box") ? box : null;
  }

  private static Tensor tensor(float[][] rows, String name) throws CaptionException {
    if (rows.length == 0 || rows[0].length == 0)
      throw new CaptionException("there is no " + name, "features", "give at least one region");
    float[] values = new float[rows.length * rows[0].length];
    int at = 0;
    for (float[] row : rows) {
      if (row.length != rows[0].length)
        throw new CaptionException("rows of " + name + " differ", "features", "make them equal");
      for (float value : row) {
        if (Float.isNaN(value) || Float.isInfinite(value))
          throw new CaptionException(name + " holds NaN or infinity", "features", "extract again");
        values[at++] = value;
      }
    }
    return Tensor.of(values, rows.length, rows[0].length);
  }

  private static float[] mean(float[][] rows) {
    float[] sums = new float[rows.length == 0 ? 0 : rows[0].length];
    for (float[] row : rows)
      for (int i = 0; i < Math.min(sums.length, row.length); i++) sums[i] += row[i];
    for (int i = 0; i < sums.length; i++) sums[i] /= rows.length;
    return sums;
  }
}
