package org.capexport.core;

/** A word as several tokens: its number in a base, most significant digit first (ACORT, 2022). */
final class Radix {
  private static final int CONTROL_PIECES = 4;
  private static final int UNK_PIECE = 1;
  private static final int TOKENS_BESIDE_DIGITS = 3;

  final int base;
  final int digits;

  Radix(int base, int digits) {
    this.base = base;
    this.digits = digits;
  }

  int tokens() {
    return base + TOKENS_BESIDE_DIGITS;
  }

  /** Ids of pieces, below `pieces`; an incomplete last word is filled with the digit 0. */
  int[] words(int[] tokens, int count, int pieces) {
    int[] words = new int[(count + digits - 1) / digits];
    for (int word = 0; word < words.length; word++) {
      long number = 0;
      for (int at = word * digits; at < (word + 1) * digits; at++) {
        int digit = at < count ? Math.max(tokens[at] - 1, 0) : 0;
        number = Math.min(number * base + digit, Integer.MAX_VALUE); // far past the last piece
      }
      number += CONTROL_PIECES;
      words[word] = number < pieces ? (int) number : UNK_PIECE;
    }
    return words;
  }
}
