package org.capexport.core;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What manifest.json says about a bundle. */
public final class Manifest {
  static final String FILE = "manifest.json";
  private static final int NEWEST_SCHEMA = 2;

  /** A file of the bundle: its size in bytes and the sha256 of its contents in hexadecimal. */
  static final class Entry {
    final String name;
    final long bytes;
    final String sha256;

    private Entry(Fields fields) throws CaptionException {
      name = fields.text("name");
      bytes = fields.integer("bytes", 0, Integer.MAX_VALUE);
      sha256 = fields.text("sha256");
      if (!name.matches("[A-Za-z0-9_][A-Za-z0-9_.-]*") || name.equals(FILE))
        throw fields.fail("the file name " + name + " is not allowed");
    }
  }

  /** Canonical name of the captioner, such as up_down_lstm. */
  public final String architecture;
  public final Signature signature;
  public final Decoding decoding;
  /** How a picture becomes the encoder's input; null where that is region features. */
  public final ImageSpec image;
  /** How sparse weights are stored: dense, stock-sparse or packed. */
  public final String weights;
  /** Runtimes whose graph files the bundle has. */
  public final List<String> runtimes;

  final List<Entry> files;
  final VocabularyReader vocabulary;

  /** Reads the text of manifest.json; `where` is its path, for errors. */
  Manifest(String text, String where) throws CaptionException {
    Fields fields = new Fields(parsed(text, where), where);
    checkSchema(fields);
    checkChecksum(fields);
    architecture = fields.text("architecture");
    signature = Signature.read(fields.child("signature"));
    decoding = Decoding.read(fields.child("decoding"), signature.vocabularySize);
    vocabulary = new VocabularyReader(fields.child("vocabulary"), signature.vocabularySize);
    image = ImageSpec.read(fields, signature);
    weights = fields.text("weights");
    runtimes = runtimes(fields.child("runtimes"));
    files = files(fields);
  }

  static Object parsed(String text, String where) throws CaptionException {
    try {
      return JsonParser.parse(text);
    } catch (IllegalArgumentException error) {
      String what = "no valid JSON: " + error.getMessage();
      throw new CaptionException(what, where, Fields.AGAIN, error);
    }
  }

  private static void checkSchema(Fields fields) throws CaptionException {
    int schema = fields.integer("schema", 1, Integer.MAX_VALUE);
    if (schema <= NEWEST_SCHEMA) return;
    throw new CaptionException(
        "the bundle has schema " + schema + ", this library reads up to " + NEWEST_SCHEMA,
        fields.where,
        "update the captioning library");
  }

  private static void checkChecksum(Fields fields) throws CaptionException {
    Map<String, Object> rest = new HashMap<String, Object>();
    for (Map.Entry<?, ?> field : fields.raw().entrySet())
      if (!field.getKey().equals("checksum")) rest.put((String) field.getKey(), field.getValue());
    byte[] ascii = CanonicalJson.write(rest).getBytes(Sha256.ASCII);
    if (!Sha256.of(ascii).equals(fields.text("checksum")))
      throw fields.fail("the checksum does not match: the manifest was changed");
  }

  private static List<String> runtimes(Fields fields) throws CaptionException {
    List<String> names = new ArrayList<String>();
    for (Object key : fields.raw().keySet()) {
      String name = (String) key;
      Runtime runtime = Runtime.named(name);
      if (runtime == null) throw fields.fail("there is no runtime " + name);
      for (String graph : new String[] {Bundle.ENCODER, Bundle.DECODER_STEP})
        fields.child(name).expect(graph, graph + runtime.suffix);
      names.add(name);
    }
    return Collections.unmodifiableList(names);
  }

  private static List<Entry> files(Fields fields) throws CaptionException {
    List<Entry> files = new ArrayList<Entry>();
    for (Fields file : fields.children("files")) files.add(new Entry(file));
    return files;
  }

  Entry file(String name) {
    for (Entry file : files) if (file.name.equals(name)) return file;
    return null;
  }
}
