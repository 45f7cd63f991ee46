package org.capexport.android;

import org.capexport.core.Caption;
import org.capexport.core.CaptionException;

/** Hears of a caption, on the main thread. Nothing is heard of one that was cancelled. */
public interface CaptionListener {
  /** The best caption so far, several times. */
  void onProgress(String text);

  /** Once, at the end. */
  void onCaption(Caption caption);

  /** Once, instead of a caption. */
  void onError(CaptionException error);
}
