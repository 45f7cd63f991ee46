package org.capexport.core;

import java.util.List;

/** A caption and what it took. */
public final class Caption {
  public final String text;
  /** Ends with the end token when one was produced. */
  public final int[] tokens;
  /** Sum over the tokens. */
  public final float logProb;
  /** Nanoseconds of the encoder. */
  public final long encoderNanos;
  /** Nanoseconds of every decoder step, the reading of its results included. */
  public final long[] stepNanos;
  /** Nanoseconds of all of it, from inputs to text. */
  public final long totalNanos;

  Caption(Hypothesis found, String text, long encoderNanos, List<Long> steps, long totalNanos) {
    this.text = text;
    tokens = found.tokens.clone();
    logProb = found.logProb;
    this.encoderNanos = encoderNanos;
    stepNanos = new long[steps.size()];
    for (int i = 0; i < stepNanos.length; i++) stepNanos[i] = steps.get(i);
    this.totalNanos = totalNanos;
  }
}
