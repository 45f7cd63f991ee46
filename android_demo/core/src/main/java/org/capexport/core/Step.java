package org.capexport.core;

/** The decoder as beam search sees it: it knows rows and tokens, no architecture. */
interface Step {
  /**
   * One token for every row.
   *
   * @param tokens one per row.
   * @param logProbs is filled: [rows * vocabulary].
   */
  void run(int[] tokens, float[] logProbs) throws CaptionException;

  /** Makes the states of row i those of row rows[i], for every i. */
  void gather(int[] rows);
}
