package org.capexport.core;

import java.util.ArrayList;
import java.util.List;

/** Token ids to text. */
public final class Vocabulary {
  /** How pieces become text. */
  enum Joining {
    /** Blanks in between. */
    WORDS,
    /** BERT: blanks, but none before a piece that starts with ## or a clitic. */
    WORDPIECE,
    /** GPT-2: each character of a piece stands for a byte, and the bytes are UTF-8. */
    BYTES
  }

  private static final char WORD_START = '\u2581';
  private static final String INNER = "##";
  private static final String[] CLITICS = {".", "?", "!", ",", "n't", "'m", "'s", "'ve", "'re"};

  private final String[] pieces;
  private final Radix radix; // null: each token is a word
  private final String continuation;
  private final Joining joining;
  private final int eos;
  private final boolean[] isHidden;

  Vocabulary(
      String[] pieces,
      Radix radix,
      String continuation,
      Joining joining,
      int[] special,
      Decoding decoding) {
    this.pieces = pieces;
    this.radix = radix;
    this.continuation = continuation;
    this.joining = joining;
    eos = decoding.eos;
    isHidden = new boolean[radix == null ? pieces.length : 0];
    if (radix != null) return;
    isHidden[decoding.pad] = true;
    isHidden[decoding.bos] = true;
    for (int id : special) isHidden[id] = true;
  }

  /** Caption of `ids`: cut at the end token, control pieces dropped, {@code <unk>} kept visible. */
  public String text(int[] ids) {
    int count = 0;
    while (count < ids.length && ids[count] != eos) count++;
    int[] words = radix == null ? ids : radix.words(ids, count, pieces.length);
    int length = radix == null ? count : words.length;
    List<String> shown = new ArrayList<String>(length);
    for (int i = 0; i < length; i++)
      if (radix != null || !isHidden[words[i]]) shown.add(pieces[words[i]]);
    switch (joining) {
      case WORDPIECE:
        return wordPieceText(shown);
      case BYTES:
        return byteText(shown);
      default:
        return wordText(shown);
    }
  }

  private String wordText(List<String> shown) {
    StringBuilder text = new StringBuilder();
    String blank = "";
    for (String piece : shown) {
      boolean marked = !piece.isEmpty() && piece.charAt(0) == WORD_START;
      text.append(blank).append(marked ? piece.substring(1) : piece);
      blank = " ";
    }
    if (continuation.isEmpty()) return text.toString();
    return text.toString().replace(continuation + " ", "");
  }

  private static String wordPieceText(List<String> shown) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < shown.size(); i++) {
      String piece = shown.get(i);
      if (i > 0 && piece.startsWith(INNER)) text.append(piece, INNER.length(), piece.length());
      else text.append(i == 0 || startsWithClitic(piece) ? "" : " ").append(piece);
    }
    return text.toString();
  }

  private static boolean startsWithClitic(String piece) {
    for (String clitic : CLITICS) if (piece.startsWith(clitic)) return true;
    return false;
  }

  private static String byteText(List<String> shown) {
    StringBuilder characters = new StringBuilder();
    for (String piece : shown) characters.append(piece);
    byte[] raw = new byte[characters.length()];
    for (int i = 0; i < raw.length; i++)
      raw[i] = (byte) ByteAlphabet.byteOf(characters.charAt(i));
    return strip(Utf8.decode(raw));
  }

  /** As Python's str.strip, which knows more blanks than String.trim. */
  private static String strip(String text) {
    int start = 0;
    int end = text.length();
    while (start < end && isBlank(text.charAt(start))) start++;
    while (end > start && isBlank(text.charAt(end - 1))) end--;
    return text.substring(start, end);
  }

  private static boolean isBlank(char c) {
    return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == '\u0085';
  }
}
