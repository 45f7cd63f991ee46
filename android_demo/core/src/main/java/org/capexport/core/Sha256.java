package org.capexport.core;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** sha256 in hexadecimal, of bytes and of streams. */
final class Sha256 {
  static final Charset ASCII = Charset.forName("US-ASCII");

  private Sha256() {}

  static String of(byte[] data) {
    return hex(digest().digest(data));
  }

  /** Of all that the stream has; it is not closed. */
  static String of(InputStream in) throws IOException {
    MessageDigest digest = digest();
    byte[] block = new byte[1 << 16];
    for (int count; (count = in.read(block)) >= 0; ) digest.update(block, 0, count);
    return hex(digest.digest());
  }

  private static MessageDigest digest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException error) {
      throw new IllegalStateException(error); // every Java platform must have it
    }
  }

  private static String hex(byte[] digest) {
    StringBuilder out = new StringBuilder();
    for (byte b : digest) out.append(Integer.toHexString(0x100 | (b & 0xff)).substring(1));
    return out.toString();
  }
}
