package org.capexport.android;

import android.content.res.AssetManager;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.FileNotFoundException;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.zip.CRC32;
import org.capexport.core.Bundle;
import org.capexport.core.CaptionException;

/**
 * A bundle in an app's assets into a folder. An asset starts at any multiple of 4 inside the APK,
 * but LiteRT reads constants in place and wants them at multiples of 64: so the files are copied
 * once, and from then on mapped from there.
 */
final class BundleAssets {
  private static final String MANIFEST = "manifest.json";

  private final AssetManager assets;
  private final String name;

  BundleAssets(AssetManager assets, String name) {
    this.assets = assets;
    this.name = name;
  }

  /**
   * The folder below `parent` with the files; copied anew when the app brings another bundle.
   *
   * <p>The files go into a folder of their own that is renamed when it is whole.
   */
  File copyTo(File parent) throws CaptionException {
    synchronized (BundleAssets.class) { // two captioners may be opened at once
      return copied(parent);
    }
  }

  private File copied(File parent) throws CaptionException {
    try {
      byte[] manifest = read(MANIFEST);
      String[] files = Bundle.fileNames(new String(manifest, "UTF-8"), name + "/" + MANIFEST);
      File folder = new File(parent, name + "-" + digest(manifest));
      if (new File(folder, MANIFEST).isFile()) return folder;
      File fresh = new File(parent, folder.getName() + ".new");
      deleteFolder(fresh);
      if (!fresh.mkdirs()) throw new IOException("no folder " + fresh);
      for (String file : files) copy(file, new File(fresh, file));
      deleteOthers(parent, fresh);
      if (!fresh.renameTo(folder)) throw new IOException("no folder " + folder);
      return folder;
    } catch (FileNotFoundException error) {
      throw failure("the app has no such bundle", "put it into src/main/assets/" + name, error);
    } catch (IOException error) {
      throw failure("cannot be copied: " + error.getMessage(), "make room on the device", error);
    }
  }

  private CaptionException failure(String what, String hint, IOException error) {
    return new CaptionException(what, "assets/" + name, hint, error);
  }

  private byte[] read(String file) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    copy(file, out);
    return out.toByteArray();
  }

  private void copy(String file, File into) throws IOException {
    try (OutputStream out = new FileOutputStream(into)) {
      copy(file, out);
    }
  }

  private void copy(String file, OutputStream out) throws IOException {
    try (InputStream in = assets.open(name + "/" + file, AssetManager.ACCESS_STREAMING)) {
      byte[] block = new byte[1 << 16];
      for (int count; (count = in.read(block)) >= 0; ) out.write(block, 0, count);
    }
  }

  /** Enough of the manifest's digest to tell two bundles apart. */
  private static String digest(byte[] manifest) {
    CRC32 sum = new CRC32();
    sum.update(manifest);
    return Long.toHexString(sum.getValue());
  }

  /** Older bundles of the same name. */
  private void deleteOthers(File parent, File kept) {
    File[] all = parent.listFiles();
    if (all == null) return;
    for (File one : all)
      if (one.getName().startsWith(name + "-") && !one.equals(kept)) deleteFolder(one);
  }

  private static void deleteFolder(File folder) {
    File[] files = folder.listFiles();
    if (files == null) return;
    for (File file : files) file.delete();
    folder.delete();
  }
}
