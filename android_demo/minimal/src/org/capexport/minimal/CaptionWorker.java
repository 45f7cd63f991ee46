package org.capexport.minimal;

import android.content.Context;
import android.net.Uri;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.capexport.android.Captioner;
import org.capexport.android.Photo;
import org.capexport.android.PhotoReader;
import org.capexport.core.Cancellation;
import org.capexport.core.Caption;
import org.capexport.core.CaptionException;
import org.capexport.core.Options;
import org.capexport.core.Pixels;
import org.capexport.core.ProgressListener;

/** One thread that opens the bundle, captions photos and measures; it tells a screen. */
final class CaptionWorker {
  private static final String BUNDLE = "bundle";
  private static final int SAMPLES = 30;

  private interface Job {
    void run() throws CaptionException;
  }

  private final Context context;
  private final Screen screen;
  private final ExecutorService thread = Executors.newSingleThreadExecutor();
  private Captioner captioner; // of the worker's thread
  private Pixels latest;
  private volatile Cancellation current = new Cancellation();

  CaptionWorker(Context context, Screen screen) {
    this.context = context;
    this.screen = screen;
  }

  void open() {
    submit(
        new Job() {
          @Override
          public void run() throws CaptionException {
            captioner = Captioner.open(context, BUNDLE);
            screen.showReady();
          }
        });
  }

  /** A photo takes the place of the one that is being captioned. */
  void caption(final Uri photo) {
    current.cancel();
    final Cancellation own = new Cancellation();
    current = own;
    submit(
        new Job() {
          @Override
          public void run() throws CaptionException {
            Photo chosen = new PhotoReader(context).read(photo);
            latest = chosen.pixels;
            screen.showPhoto(chosen.preview);
            captionLatest(own);
          }
        });
  }

  private void captionLatest(final Cancellation own) throws CaptionException {
    ProgressListener progress =
        new ProgressListener() {
          @Override
          public void onProgress(String text) {
            screen.showCaption(text, false);
          }
        };
    Options options = Options.DEFAULT.withCancellation(own);
    Caption caption = captioner.caption(latest, options, progress);
    screen.showCaption(caption.text, true);
  }

  /** Measures the latest photo, and saves a report as `capexport bench` writes it. */
  void measure() {
    submit(
        new Job() {
          @Override
          public void run() throws CaptionException {
            Options options = Options.DEFAULT.withCancellation(current);
            List<String> doubts = Collections.emptyList();
            String report = captioner.measure(latest, options, SAMPLES, doubts);
            screen.showSaved(new ReportFile(context).write(report));
          }
        });
  }

  private void submit(final Job job) {
    thread.execute(
        new Runnable() {
          @Override
          public void run() {
            try {
              job.run();
            } catch (CaptionException error) {
              screen.showError(error);
            } catch (CancellationException wanted) {
              return; // another photo took its place, or the screen is gone
            }
          }
        });
  }

  void close() {
    current.cancel();
    submit(
        new Job() {
          @Override
          public void run() {
            if (captioner != null) captioner.close();
          }
        });
    thread.shutdown();
  }
}
