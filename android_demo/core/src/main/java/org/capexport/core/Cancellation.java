package org.capexport.core;

import java.util.concurrent.CancellationException;

/** Ends a caption from another thread; it stops before its next step. */
public final class Cancellation {
  private volatile boolean isCancelled;

  public void cancel() {
    isCancelled = true;
  }

  public boolean isCancelled() {
    return isCancelled;
  }

  void check() {
    if (isCancelled) throw new CancellationException("the caption was cancelled");
  }
}
