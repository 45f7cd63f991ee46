package org.capexport.android;

import android.content.Context;
import android.graphics.Bitmap;
import android.graphics.BitmapFactory;
import android.media.ExifInterface;
import android.net.Uri;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import org.capexport.core.CaptionException;

/** A photo that the user chose, turned as its EXIF orientation says. */
public final class PhotoReader {
  private static final int MOST_PIXELS = 16_000_000; // 64 MB as integers

  private final Context context;

  public PhotoReader(Context context) {
    this.context = context;
  }

  /** Reads it whole; call it on a worker thread. */
  public Photo read(Uri uri) throws CaptionException {
    // ExifInterface of Android 6 takes a path only, so the photo becomes a file first.
    File copy = new File(context.getCacheDir(), "photo");
    try {
      copy(uri, copy);
      Bitmap bitmap = decode(copy, uri);
      return new Photo(bitmap, orientation(copy));
    } catch (IOException error) {
      throw failure("cannot be read: " + error.getMessage(), uri, error);
    } catch (SecurityException error) {
      throw failure("the permission to read it is gone", uri, error);
    } finally {
      copy.delete();
    }
  }

  private void copy(Uri uri, File into) throws IOException {
    try (InputStream in = context.getContentResolver().openInputStream(uri);
        OutputStream out = new FileOutputStream(into)) {
      if (in == null) throw new IOException("its app gives nothing");
      byte[] block = new byte[1 << 16];
      for (int count; (count = in.read(block)) >= 0; ) out.write(block, 0, count);
    }
  }

  /** A larger photo is halved until it fits; Python would resize it from all of its pixels. */
  private static Bitmap decode(File file, Uri uri) throws CaptionException {
    BitmapFactory.Options options = new BitmapFactory.Options();
    options.inJustDecodeBounds = true;
    BitmapFactory.decodeFile(file.getPath(), options);
    options.inJustDecodeBounds = false;
    options.inPreferredConfig = Bitmap.Config.ARGB_8888;
    options.inSampleSize = 1;
    long pixels = (long) options.outWidth * options.outHeight;
    for (; pixels > MOST_PIXELS; pixels /= 4) options.inSampleSize *= 2;
    Bitmap bitmap = BitmapFactory.decodeFile(file.getPath(), options);
    if (bitmap == null) throw failure("it is no picture", uri, null);
    return bitmap;
  }

  private static int orientation(File file) throws IOException {
    ExifInterface exif = new ExifInterface(file.getPath());
    return exif.getAttributeInt(
        ExifInterface.TAG_ORIENTATION, ExifInterface.ORIENTATION_NORMAL);
  }

  private static CaptionException failure(String what, Uri uri, Exception cause) {
    return new CaptionException(what, uri.toString(), "choose another photo", cause);
  }
}
