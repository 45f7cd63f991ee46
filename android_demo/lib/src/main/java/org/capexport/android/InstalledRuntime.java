package org.capexport.android;

import java.util.List;
import org.capexport.core.CaptionException;
import org.capexport.core.Runtime;

/** Which runtime an app brings along: the first of the bundle's whose library can be loaded. */
final class InstalledRuntime {
  private InstalledRuntime() {}

  /** Afterwards the native library finds it by its bare name. */
  static Runtime load(List<String> wanted) throws CaptionException {
    for (String label : wanted) {
      Runtime runtime = Runtime.named(label);
      String bare = runtime.library.substring("lib".length(), runtime.library.indexOf('.'));
      try {
        System.loadLibrary(bare);
        return runtime;
      } catch (UnsatisfiedLinkError absent) {
        continue; // the next one may be there
      }
    }
    throw new CaptionException(
        "the app has no runtime for this bundle",
        wanted.toString(),
        "add com.google.ai.edge.litert:litert or com.microsoft.onnxruntime:onnxruntime-android");
  }
}
