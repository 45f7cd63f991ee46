package org.capexport.minimal;

import android.content.Context;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import org.capexport.core.CaptionException;

/** The report of a benchmark where `adb pull` finds it without any permission. */
final class ReportFile {
  private final File file;

  ReportFile(Context context) {
    file = new File(context.getExternalFilesDir(null), "bench.json");
  }

  /** The path of the file. */
  String write(String report) throws CaptionException {
    try (OutputStream out = new FileOutputStream(file)) {
      out.write(report.getBytes("UTF-8"));
      return file.getPath();
    } catch (IOException error) {
      String what = "the report cannot be written: " + error.getMessage();
      throw new CaptionException(what, file.getPath(), "make room on the device", error);
    }
  }
}
