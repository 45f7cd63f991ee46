package org.capexport.core;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * JSON text (RFC 8259) into Map, List, String, JsonNumber, Boolean and null. Stricter than most
 * parsers: a key that comes twice, deep nesting and trailing text are refused, since a bundle is a
 * stranger's. Android's org.json is not on a desktop JVM.
 */
final class JsonParser {
  private static final int MOST_DEPTH = 64;

  private final String text;
  private int at;

  private JsonParser(String text) {
    this.text = text;
  }

  /** The value of the whole text; IllegalArgumentException says at which character it is wrong. */
  static Object parse(String text) {
    JsonParser parser = new JsonParser(text);
    Object value = parser.value(0);
    parser.skipBlanks();
    if (parser.at != text.length()) throw parser.wrong("more text after the value");
    return value;
  }

  private Object value(int depth) {
    if (depth > MOST_DEPTH) throw wrong("nested too deeply");
    skipBlanks();
    switch (peek()) {
      case '{':
        return object(depth);
      case '[':
        return array(depth);
      case '"':
        return string();
      case 't':
        return word("true", Boolean.TRUE);
      case 'f':
        return word("false", Boolean.FALSE);
      case 'n':
        return word("null", null);
      default:
        return number();
    }
  }

  private Map<String, Object> object(int depth) {
    Map<String, Object> fields = new LinkedHashMap<String, Object>();
    at++;
    skipBlanks();
    if (accept('}')) return fields;
    do {
      skipBlanks();
      if (peek() != '"') throw wrong("a key must be a string");
      String key = string();
      skipBlanks();
      expect(':');
      if (fields.containsKey(key)) throw wrong("the key " + key + " comes twice");
      fields.put(key, value(depth + 1));
      skipBlanks();
    } while (accept(','));
    expect('}');
    return fields;
  }

  private List<Object> array(int depth) {
    List<Object> items = new ArrayList<Object>();
    at++;
    skipBlanks();
    if (accept(']')) return items;
    do {
      items.add(value(depth + 1));
      skipBlanks();
    } while (accept(','));
    expect(']');
    return items;
  }

  private String string() {
    StringBuilder out = new StringBuilder();
    for (at++; peek() != '"'; at++) {
      char c = peek();
      if (c < 0x20) throw wrong("a control character in a string");
      out.append(c == '\\' ? escaped() : c);
    }
    at++;
    return out.toString();
  }

  private char escaped() {
    at++;
    char c = peek();
    int plain = "\"\\/bfnrt".indexOf(c);
    if (plain >= 0) return "\"\\/\b\f\n\r\t".charAt(plain);
    if (c != 'u' || at + 4 >= text.length()) throw wrong("an unknown escape");
    int code = 0;
    for (int i = 1; i <= 4; i++) {
      int digit = Character.digit(text.charAt(at + i), 16);
      if (digit < 0) throw wrong("no hexadecimal digit");
      code = code * 16 + digit;
    }
    at += 4;
    return (char) code;
  }

  private JsonNumber number() {
    int start = at;
    accept('-');
    if (!accept('0')) digits();
    if (accept('.')) digits();
    if (accept('e') || accept('E')) {
      if (!accept('+')) accept('-');
      digits();
    }
    return new JsonNumber(text.substring(start, at));
  }

  private void digits() {
    int start = at;
    while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') at++;
    if (at == start) throw wrong("no value");
  }

  private Object word(String word, Object value) {
    if (!text.startsWith(word, at)) throw wrong("no value");
    at += word.length();
    return value;
  }

  private void skipBlanks() {
    while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) at++;
  }

  private char peek() {
    if (at >= text.length()) throw wrong("the text ends too early");
    return text.charAt(at);
  }

  private boolean accept(char c) {
    if (at >= text.length() || text.charAt(at) != c) return false;
    at++;
    return true;
  }

  private void expect(char c) {
    if (!accept(c)) throw wrong("'" + c + "' is missing");
  }

  private IllegalArgumentException wrong(String what) {
    return new IllegalArgumentException(what + " (character " + at + ")");
  }
}
