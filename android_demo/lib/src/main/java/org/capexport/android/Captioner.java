package org.capexport.android;

import android.content.Context;
import android.graphics.Bitmap;
import android.os.Handler;
import android.os.Looper;
import java.io.File;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.capexport.core.Benchmark;
import org.capexport.core.Bundle;
import org.capexport.core.Cancellation;
import org.capexport.core.Caption;
import org.capexport.core.CaptionException;
import org.capexport.core.CaptionSession;
import org.capexport.core.Cores;
import org.capexport.core.NativeGraph;
import org.capexport.core.Options;
import org.capexport.core.Pixels;
import org.capexport.core.ProgressListener;
import org.capexport.core.Runtime;

/**
 * Captions for an app, offline: a bundle, the runtime that the app brings along, and one thread on
 * which captions are computed. Any thread may call it.
 */
public final class Captioner implements AutoCloseable {
  private static final String COPIES = "capexport";

  private final CaptionSession session;
  private final Runtime runtime;
  private final int threads;
  private final ExecutorService worker = Executors.newSingleThreadExecutor();
  private final Handler main = new Handler(Looper.getMainLooper());
  private volatile Cancellation current = new Cancellation(); // of the caption in the worker

  private Captioner(Bundle bundle) throws CaptionException {
    threads = Cores.preferredThreads();
    runtime = InstalledRuntime.load(bundle.manifest.runtimes);
    session =
        CaptionSession.open(bundle, runtime, NativeGraph.opener(runtime, runtime.library, threads));
  }

  /**
   * Opens a bundle of the app's assets. It reads files: call it on a worker thread.
   *
   * @param asset folder below src/main/assets.
   */
  public static Captioner open(Context context, String asset) throws CaptionException {
    File copies = new File(context.getNoBackupFilesDir(), COPIES);
    return open(new BundleAssets(context.getAssets(), asset).copyTo(copies));
  }

  /** Opens a bundle in a folder, downloaded or written by the app; its files are checked. */
  public static Captioner open(File folder) throws CaptionException {
    return new Captioner(Bundle.open(folder));
  }

  /**
   * Captions a picture in the background; the listener hears of it on the main thread. A
   * cancellation among the options is replaced by the one that is returned.
   */
  public Cancellation caption(Bitmap bitmap, Options options, CaptionListener listener) {
    Cancellation cancellation = new Cancellation();
    Reporter reporter = new Reporter(main, listener, cancellation);
    worker.execute(job(bitmap, options, reporter, cancellation));
    return cancellation;
  }

  private Runnable job(
      final Bitmap bitmap,
      final Options options,
      final Reporter reporter,
      final Cancellation cancellation) {
    return new Runnable() {
      @Override
      public void run() {
        current = cancellation;
        Options cancellable = options.withCancellation(cancellation);
        try {
          reporter.onCaption(caption(pixels(bitmap, 1), cancellable, reporter));
        } catch (CaptionException error) {
          reporter.onError(error);
        } catch (CancellationException wanted) {
          return; // who cancelled it knows
        } catch (OutOfMemoryError error) {
          String what = "the picture is too large for this device";
          reporter.onError(new CaptionException(what, "picture", "make it smaller", error));
        }
      }
    };
  }

  /** Captions on the calling thread. `listener` may be null, and is called on this thread. */
  public Caption caption(Pixels pixels, Options options, ProgressListener listener)
      throws CaptionException {
    return session.caption(pixels, options, listener);
  }

  /**
   * The pixels of a bitmap, upright.
   *
   * @param orientation EXIF's number, 1 where it is upright already.
   */
  public static Pixels pixels(Bitmap bitmap, int orientation) throws CaptionException {
    // A hardware bitmap's pixels cannot be read where it lies.
    Bitmap readable = bitmap;
    if (bitmap.getConfig() != Bitmap.Config.ARGB_8888)
      readable = bitmap.copy(Bitmap.Config.ARGB_8888, false);
    int width = readable.getWidth();
    int height = readable.getHeight();
    int[] argb = new int[width * height];
    readable.getPixels(argb, 0, width, 0, 0, width, height);
    return new Pixels(argb, width, height, orientation);
  }

  /**
   * Captions a picture again and again on the calling thread, by the calls that `caption` makes.
   *
   * @param samples captions after the warm-up.
   * @param doubts why the times may not be trusted, such as a debug build.
   * @return the JSON document of `capexport bench`.
   */
  public String measure(Pixels pixels, Options options, int samples, List<String> doubts)
      throws CaptionException {
    Benchmark benchmark = new Benchmark(session, runtime, threads);
    benchmark.run(pixels, options, samples);
    return benchmark.report("measured-device", DeviceFacts.read(), options, doubts);
  }

  /** The bundle's graphs, open in this runtime. */
  public CaptionSession session() {
    return session;
  }

  public Runtime runtime() {
    return runtime;
  }

  /** Drops captions in the background: one that is being computed after its step, others at once. */
  @Override
  public void close() {
    worker.shutdownNow();
    current.cancel();
    session.close();
  }
}
