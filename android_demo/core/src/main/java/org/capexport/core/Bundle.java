package org.capexport.core;

import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;

/** A folder that `capexport export` wrote, after every file in it was checked. */
public final class Bundle {
  static final String ENCODER = "encoder";
  static final String DECODER_STEP = "decoder_step";
  private static final String AGAIN = "copy the bundle again";
  private static final int MOST_TEXT_BYTES = 1 << 26;

  public final File folder;
  public final Manifest manifest;
  public final Vocabulary vocabulary;

  private Bundle(File folder) throws CaptionException {
    this.folder = folder;
    manifest = new Manifest(text(Manifest.FILE), path(Manifest.FILE));
    checkListed(VocabularyReader.FILE);
    for (String runtime : manifest.runtimes)
      for (String graph : new String[] {ENCODER, DECODER_STEP})
        checkListed(graph + Runtime.named(runtime).suffix);
    for (Manifest.Entry file : manifest.files) check(file);
    String where = path(VocabularyReader.FILE);
    Object pieces = Manifest.parsed(text(VocabularyReader.FILE), where);
    vocabulary = manifest.vocabulary.read(pieces, manifest.decoding, where);
  }

  /** Opens the bundle; fails where a file is missing, changed, or not what the manifest says. */
  public static Bundle open(File folder) throws CaptionException {
    if (!new File(folder, Manifest.FILE).isFile())
      throw new CaptionException(
          "no bundle: there is no manifest.json",
          folder.getPath(),
          "give a folder that `capexport export` wrote");
    return new Bundle(folder);
  }

  /** The names of all files of the bundle whose manifest this is; for copying a bundle. */
  public static String[] fileNames(String manifestText, String where) throws CaptionException {
    Manifest manifest = new Manifest(manifestText, where);
    String[] names = new String[manifest.files.size() + 1];
    for (int i = 1; i < names.length; i++) names[i] = manifest.files.get(i - 1).name;
    names[0] = Manifest.FILE;
    return names;
  }

  /** The file of a graph, ENCODER or DECODER_STEP. */
  File graph(Runtime runtime, String graph) throws CaptionException {
    if (!manifest.runtimes.contains(runtime.label))
      throw new CaptionException(
          "the bundle has no graphs for " + runtime.label,
          folder.getPath(),
          "use " + manifest.runtimes + ", or export it with --format both");
    return new File(folder, graph + runtime.suffix);
  }

  private void checkListed(String name) throws CaptionException {
    if (manifest.file(name) == null) throw fail("the manifest does not list " + name);
  }

  private void check(Manifest.Entry file) throws CaptionException {
    File path = new File(folder, file.name);
    if (!path.isFile()) throw fail("the file " + file.name + " is missing");
    if (path.length() != file.bytes)
      throw fail(file.name + " has " + path.length() + " bytes, not " + file.bytes);
    try (InputStream in = new FileInputStream(path)) {
      if (!Sha256.of(in).equals(file.sha256)) throw fail(file.name + " was changed");
    } catch (IOException error) {
      throw unreadable(file.name, error);
    }
  }

  private String text(String name) throws CaptionException {
    File file = new File(folder, name);
    if (file.length() > MOST_TEXT_BYTES) throw fail(name + " is too large");
    try (InputStream in = new FileInputStream(file)) {
      ByteBuffer bytes = ByteBuffer.allocate((int) file.length());
      for (int count; bytes.hasRemaining(); bytes.position(bytes.position() + count)) {
        count = in.read(bytes.array(), bytes.position(), bytes.remaining());
        if (count < 0) throw fail(name + " was cut short");
      }
      bytes.flip();
      return Charset.forName("UTF-8").newDecoder().decode(bytes).toString();
    } catch (CharacterCodingException error) {
      throw new CaptionException(name + " is no UTF-8", folder.getPath(), AGAIN, error);
    } catch (IOException error) {
      throw unreadable(name, error);
    }
  }

  private String path(String name) {
    return new File(folder, name).getPath();
  }

  private CaptionException fail(String what) {
    return new CaptionException(what, folder.getPath(), AGAIN);
  }

  private CaptionException unreadable(String name, IOException error) {
    String what = "cannot be read: " + error.getMessage();
    return new CaptionException(what, path(name), "check that the file is readable", error);
  }
}
