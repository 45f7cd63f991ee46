package org.capexport.android;

import android.os.Handler;
import org.capexport.core.Cancellation;
import org.capexport.core.Caption;
import org.capexport.core.CaptionException;
import org.capexport.core.ProgressListener;

/** From the worker's thread to the main thread, where a caption that was cancelled is not heard of. */
final class Reporter implements ProgressListener {
  private final Handler main;
  private final CaptionListener listener;
  private final Cancellation cancellation;

  Reporter(Handler main, CaptionListener listener, Cancellation cancellation) {
    this.main = main;
    this.listener = listener;
    this.cancellation = cancellation;
  }

  @Override
  public void onProgress(final String text) {
    post(
        new Runnable() {
          @Override
          public void run() {
            listener.onProgress(text);
          }
        });
  }

  void onCaption(final Caption caption) {
    post(
        new Runnable() {
          @Override
          public void run() {
            listener.onCaption(caption);
          }
        });
  }

  void onError(final CaptionException error) {
    post(
        new Runnable() {
          @Override
          public void run() {
            listener.onError(error);
          }
        });
  }

  private void post(final Runnable news) {
    main.post(
        new Runnable() {
          @Override
          public void run() {
            if (!cancellation.isCancelled()) news.run();
          }
        });
  }
}
