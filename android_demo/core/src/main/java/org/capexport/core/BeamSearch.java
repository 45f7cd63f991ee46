package org.capexport.core;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;

/**
 * A step function into the best captions: capexport/runtime/decode.py in Java, to the same tokens.
 * Beam 1 is greedy decoding. Sums are float, and the lower token id and the earlier row win ties.
 */
final class BeamSearch {
  /** Taken from the unknown word in beam search, where the lineage suppresses it. */
  private static final float UNK_PENALTY = 1000;

  private final Decoding decoding;
  private final int beam;
  private final int vocabulary;
  private final float[] logProbs;
  private final Largest best;
  private final int[] tokens;
  private final int[] rows;
  private final List<Hypothesis> finished = new ArrayList<Hypothesis>();
  private List<Hypothesis> live = Collections.singletonList(Hypothesis.EMPTY);

  BeamSearch(Decoding decoding, int beam, int vocabulary) {
    this.decoding = decoding;
    this.beam = beam;
    this.vocabulary = vocabulary;
    logProbs = new float[beam * vocabulary];
    best = new Largest(decoding.refill ? 2 * beam : beam); // at most `beam` end by one `eos`
    tokens = new int[beam];
    rows = new int[beam];
    Arrays.fill(tokens, decoding.bos);
  }

  /** The caption; `progress` hears of the best hypothesis after every step. */
  Hypothesis search(Step step, SearchProgress progress) throws CaptionException {
    for (int length = 1; length <= decoding.maxLength; length++) {
      step.run(tokens, logProbs);
      grow(length == decoding.maxLength);
      progress.onStep(leader());
      if (live.isEmpty() || isDecided()) break;
      nextRows(step);
    }
    return finished.get(0);
  }

  /** Continues every live hypothesis by one token, and parts those that ended. */
  private void grow(boolean isLast) throws CaptionException {
    offerAll();
    List<Hypothesis> going = new ArrayList<Hypothesis>(beam);
    for (int i = 0; i < best.count; i++) {
      int row = best.places[i] / vocabulary;
      Hypothesis one = live.get(row).grown(best.places[i] % vocabulary, best.values[i], row);
      boolean hasEnded = isLast || one.lastToken() == decoding.eos;
      if (hasEnded && i < beam) finished.add(one);
      else if (!hasEnded && going.size() < beam) going.add(one);
    }
    live = going;
    Collections.sort(finished, byScore); // stable: earlier ends first
  }

  private void offerAll() throws CaptionException {
    best.clear();
    boolean hidesUnknown = beam > 1 && decoding.suppressUnk && decoding.unk >= 0;
    for (int row = 0; row < live.size(); row++) {
      float sum = live.get(row).logProb;
      if (hidesUnknown) logProbs[row * vocabulary + decoding.unk] -= UNK_PENALTY;
      int end = (row + 1) * vocabulary;
      for (int at = next(row * vocabulary, end, sum); at < end; at = next(at + 1, end, sum))
        offer(sum + logProbs[at], at);
    }
  }

  /** The next place whose sum may be among the best: a loop of its own, since nearly none is. */
  private int next(int at, int end, float sum) {
    float[] values = logProbs;
    float least = best.least;
    while (at < end && sum + values[at] <= least) at++; // nothing compares so with NaN
    return at;
  }

  private void offer(float value, int at) throws CaptionException {
    if (value != value) // NaN alone differs from itself
      throw new CaptionException(
          "the model returns NaN", Signature.LOG_PROBS, "scale features as in training");
    best.offer(value, at);
  }

  /** Whether the best live hypothesis, scored by its present length, would not be kept. */
  private boolean isDecided() {
    if (finished.size() < beam) return false;
    if (decoding.earlyStopping) return true;
    float most = Float.NEGATIVE_INFINITY;
    for (Hypothesis one : live) most = Math.max(most, one.score(decoding));
    return finished.get(beam - 1).score(decoding) >= most;
  }

  /** Tokens and states of the live hypotheses go to the first rows; the rest is filled up. */
  private void nextRows(Step step) {
    Arrays.fill(tokens, decoding.eos);
    Arrays.fill(rows, 0);
    for (int i = 0; i < live.size(); i++) {
      tokens[i] = live.get(i).lastToken();
      rows[i] = live.get(i).row;
    }
    step.gather(rows);
  }

  /** The best hypothesis so far, ended or not. */
  private Hypothesis leader() {
    if (live.isEmpty()) return finished.get(0);
    if (finished.isEmpty()) return live.get(0);
    boolean ended = finished.get(0).score(decoding) >= live.get(0).score(decoding);
    return ended ? finished.get(0) : live.get(0);
  }

  private final Comparator<Hypothesis> byScore =
      new Comparator<Hypothesis>() {
        @Override
        public int compare(Hypothesis a, Hypothesis b) {
          float left = a.score(decoding);
          float right = b.score(decoding);
          return left > right ? -1 : left < right ? 1 : 0; // Float.compare parts 0.0 and -0.0
        }
      };
}
