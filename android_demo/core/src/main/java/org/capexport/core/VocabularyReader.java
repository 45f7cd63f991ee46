package org.capexport.core;

import java.util.List;
import java.util.Locale;

/** The manifest's part about words, and vocabulary.json, into a Vocabulary. */
final class VocabularyReader {
  static final String FILE = "vocabulary.json";
  private static final int MOST_PIECES = 1 << 24;

  private final Fields fields;
  private final Radix radix;
  private final Vocabulary.Joining joining;
  private final int count;
  private final int[] special;

  VocabularyReader(Fields fields, int tokens) throws CaptionException {
    this.fields = fields;
    fields.expect("file", FILE);
    int size = fields.integer("size", 1, MOST_PIECES);
    if (size != tokens) throw fields.fail("size is " + size + ", the model has " + tokens);
    radix = radix();
    // Schema 1 had as many pieces as tokens, and did not say so.
    count = fields.has("pieces") ? fields.integer("pieces", 1, MOST_PIECES) : size;
    if (radix == null ? count != size : radix.tokens() != size)
      throw fields.fail(count + " pieces do not make " + size + " tokens");
    joining = joining();
    special = special();
  }

  private Radix radix() throws CaptionException {
    if (!fields.has("radix")) return null;
    Fields given = fields.child("radix");
    return new Radix(given.integer("base", 2, MOST_PIECES), given.integer("digits", 1, 64));
  }

  private Vocabulary.Joining joining() throws CaptionException {
    String name = fields.text("joining", "words");
    for (Vocabulary.Joining known : Vocabulary.Joining.values())
      if (known.name().toLowerCase(Locale.ROOT).equals(name)) return known;
    throw fields.fail("joining is " + name + ", which this library does not know");
  }

  private int[] special() throws CaptionException {
    if (!fields.has("special")) return new int[0];
    List<?> given = fields.array("special");
    int[] ids = new int[given.size()];
    for (int i = 0; i < ids.length; i++) {
      Object id = given.get(i);
      double value = id instanceof JsonNumber ? ((JsonNumber) id).value() : -1;
      if (!(value >= 0 && value < count && value == Math.rint(value)))
        throw fields.fail("special names " + id + ", which is no piece");
      ids[i] = (int) value;
    }
    return ids;
  }

  /** The vocabulary with the pieces of vocabulary.json, which is parsed already. */
  Vocabulary read(Object parsed, Decoding decoding, String where) throws CaptionException {
    if (!(parsed instanceof List) || ((List<?>) parsed).size() != count)
      throw new CaptionException("no array of " + count + " strings", where, Fields.AGAIN);
    String[] pieces = new String[count];
    for (int i = 0; i < count; i++) {
      Object piece = ((List<?>) parsed).get(i);
      if (!(piece instanceof String) || !isSpellable((String) piece))
        throw new CaptionException("piece " + i + " is no text", where, Fields.AGAIN);
      pieces[i] = (String) piece;
    }
    String continuation = fields.text("continuation", "");
    return new Vocabulary(pieces, radix, continuation, joining, special, decoding);
  }

  private boolean isSpellable(String piece) {
    if (joining != Vocabulary.Joining.BYTES) return true;
    for (int i = 0; i < piece.length(); i++)
      if (ByteAlphabet.byteOf(piece.charAt(i)) < 0) return false;
    return true;
  }
}
