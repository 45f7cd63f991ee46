package org.capexport.core;

import java.util.Arrays;

/** A caption, whole or not: its tokens and the sum of their log-probabilities. */
final class Hypothesis {
  static final Hypothesis EMPTY = new Hypothesis(new int[0], 0, 0);

  /** Ends with the end token when one was produced. */
  final int[] tokens;
  final float logProb;
  /** Row of the last step that it came from. */
  final int row;

  private Hypothesis(int[] tokens, float logProb, int row) {
    this.tokens = tokens;
    this.logProb = logProb;
    this.row = row;
  }

  Hypothesis grown(int token, float newLogProb, int fromRow) {
    int[] longer = Arrays.copyOf(tokens, tokens.length + 1);
    longer[tokens.length] = token;
    return new Hypothesis(longer, newLogProb, fromRow);
  }

  int lastToken() {
    return tokens[tokens.length - 1];
  }

  /** What captions are ranked by. */
  float score(Decoding decoding) {
    return logProb / (float) Math.pow(tokens.length, decoding.lengthPenalty);
  }
}
