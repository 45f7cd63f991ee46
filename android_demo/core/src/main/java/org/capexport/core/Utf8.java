package org.capexport.core;

/**
 * Bytes into text, each maximal ill-formed part into one U+FFFD (the Unicode Standard, 3.9, Table
 * 3-7). Java's own decoders differ in how many they write, and a caption must not.
 */
final class Utf8 {
  private static final char REPLACEMENT = '\ufffd';

  private Utf8() {}

  static String decode(byte[] bytes) {
    StringBuilder text = new StringBuilder(bytes.length);
    for (int at = 0; at < bytes.length; ) {
      int lead = bytes[at++] & 0xff;
      int more = following(lead);
      int code = more <= 0 ? lead : lead & (0x3f >> more);
      for (int i = 0; i < more; i++) {
        int low = i == 0 ? lowestSecond(lead) : 0x80;
        int high = i == 0 ? highestSecond(lead) : 0xbf;
        int next = at < bytes.length ? bytes[at] & 0xff : 0;
        if (next < low || next > high) {
          more = -1;
          break;
        }
        code = code << 6 | (next & 0x3f);
        at++;
      }
      if (more < 0) text.append(REPLACEMENT);
      else text.appendCodePoint(code);
    }
    return text.toString();
  }

  /** Bytes that follow the first of a character; -1 for a byte that starts none. */
  private static int following(int lead) {
    if (lead < 0x80) return 0;
    if (lead < 0xc2 || lead > 0xf4) return -1;
    return lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
  }

  /** No overlong forms. */
  private static int lowestSecond(int lead) {
    return lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  }

  /** No surrogates, nothing past U+10FFFF. */
  private static int highestSecond(int lead) {
    return lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  }
}
