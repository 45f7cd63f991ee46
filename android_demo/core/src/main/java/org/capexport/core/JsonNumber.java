package org.capexport.core;

/** A JSON number that keeps its spelling, which the manifest's checksum is made of. */
final class JsonNumber {
  final String text;

  JsonNumber(String text) {
    this.text = text;
  }

  /** Whether it is written as an integer, which 1.0 and 1e3 are not. */
  boolean isInteger() {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '.' || c == 'e' || c == 'E') return false;
    }
    return true;
  }

  double value() {
    return Double.parseDouble(text);
  }

  @Override
  public String toString() {
    return text;
  }
}
