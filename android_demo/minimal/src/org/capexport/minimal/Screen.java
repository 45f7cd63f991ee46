package org.capexport.minimal;

import android.graphics.Bitmap;
import org.capexport.core.CaptionException;

/** What a worker has to say to the user; called on its thread. */
interface Screen {
  void showReady();

  void showPhoto(Bitmap photo);

  void showCaption(String text, boolean isWhole);

  void showSaved(String path);

  void showError(CaptionException error);
}
