package org.capexport.core;

/** Is told how a search goes on, and may end it with an exception. */
interface SearchProgress {
  /** After every step, with the best hypothesis so far. */
  void onStep(Hypothesis leader) throws CaptionException;
}
