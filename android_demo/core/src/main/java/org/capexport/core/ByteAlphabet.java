package org.capexport.core;

/** GPT-2's printable stand-ins of the 256 bytes (Radford et al. 2019, bytes_to_unicode). */
final class ByteAlphabet {
  private static final int OTHERS = 0x100;
  private static final int[] BYTE_OF = new int[2 * OTHERS];

  static {
    for (int i = 0; i < BYTE_OF.length; i++) BYTE_OF[i] = -1;
    int next = OTHERS;
    for (int b = 0; b < OTHERS; b++) BYTE_OF[isPrintable(b) ? b : next++] = b;
  }

  private ByteAlphabet() {}

  /** The byte that a character stands for, -1 for none. */
  static int byteOf(char c) {
    return c < BYTE_OF.length ? BYTE_OF[c] : -1;
  }

  private static boolean isPrintable(int b) {
    return (b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
  }
}
