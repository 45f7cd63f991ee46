package org.capexport.minimal;

import android.app.Activity;
import android.app.Instrumentation;
import android.content.Context;
import android.os.Bundle;
import java.io.IOException;
import java.io.InputStream;
import java.util.Collections;
import java.util.List;
import org.capexport.android.Captioner;
import org.capexport.core.CaptionException;
import org.capexport.core.GoldenCaptions;
import org.capexport.core.Options;

/**
 * The captions that Python made, made again by the installed app: {@code adb shell am instrument -w
 * org.capexport.minimal/.GoldenInstrumentation}. Then it measures, and leaves a report behind.
 */
public final class GoldenInstrumentation extends Instrumentation {
  private static final int SAMPLES = 30;

  @Override
  public void onCreate(Bundle arguments) {
    super.onCreate(arguments);
    start();
  }

  @Override
  public void onStart() {
    super.onStart();
    Bundle results = new Bundle();
    int code = Activity.RESULT_CANCELED;
    try {
      run(getTargetContext(), results);
      code = Activity.RESULT_OK;
    } catch (CaptionException error) {
      results.putString("failure", error.what + "; " + error.where + "; " + error.hint);
    } catch (IOException error) {
      results.putString("failure", error.toString());
    }
    finish(code, results);
  }

  private static void run(final Context context, Bundle results)
      throws CaptionException, IOException {
    GoldenCaptions goldens =
        new GoldenCaptions(
            new GoldenCaptions.Files() {
              @Override
              public InputStream open(String name) throws IOException {
                return context.getAssets().open("goldens/" + name);
              }
            });
    try (Captioner captioner = Captioner.open(context, "bundle")) {
      List<Object> cases = goldens.cases(null, captioner.runtime());
      for (Object one : cases) check(goldens, captioner, one);
      results.putString("captions", String.valueOf(cases.size()));
      if (captioner.session().bundle.manifest.image == null) return; // what is measured are photos
      results.putString("report", measure(context, goldens, captioner, cases.get(0)));
    }
  }

  private static void check(GoldenCaptions goldens, Captioner captioner, Object one)
      throws CaptionException, IOException {
    String difference = GoldenCaptions.difference(goldens.caption(captioner.session(), one), one);
    if (difference != null)
      throw new CaptionException("another caption than Python's", difference, "report it");
  }

  private static String measure(
      Context context, GoldenCaptions goldens, Captioner captioner, Object one)
      throws CaptionException, IOException {
    List<String> doubts = Collections.singletonList("an APK with tests in it");
    String report = captioner.measure(goldens.pixels(one), Options.DEFAULT, SAMPLES, doubts);
    return new ReportFile(context).write(report);
  }
}
