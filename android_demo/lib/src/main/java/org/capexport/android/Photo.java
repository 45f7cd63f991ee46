package org.capexport.android;

import android.graphics.Bitmap;
import android.graphics.Matrix;
import org.capexport.core.CaptionException;
import org.capexport.core.Pixels;

/** A photo as the captioner takes it, and small and upright as a screen shows it. */
public final class Photo {
  private static final float MOST_SIDE = 1280;

  public final Pixels pixels;
  public final Bitmap preview;

  /** @param orientation EXIF's number. */
  Photo(Bitmap bitmap, int orientation) throws CaptionException {
    pixels = Captioner.pixels(bitmap, orientation);
    Matrix turn = turn(orientation);
    float scale = Math.min(1, MOST_SIDE / Math.max(bitmap.getWidth(), bitmap.getHeight()));
    turn.postScale(scale, scale);
    preview =
        Bitmap.createBitmap(bitmap, 0, 0, bitmap.getWidth(), bitmap.getHeight(), turn, true);
  }

  private static Matrix turn(int orientation) {
    Matrix turn = new Matrix();
    boolean isMirrored =
        orientation == 2 || orientation == 4 || orientation == 5 || orientation == 7;
    if (isMirrored) turn.postScale(-1, 1);
    if (orientation == 3 || orientation == 4) turn.postRotate(180);
    if (orientation == 5 || orientation == 8) turn.postRotate(270);
    if (orientation == 6 || orientation == 7) turn.postRotate(90);
    return turn;
  }
}
