package org.capexport.core;

/** Hears the caption grow, on the thread that computes it. */
public interface ProgressListener {
  /** The best caption so far; with several hypotheses, earlier words may still change. */
  void onProgress(String text);
}
