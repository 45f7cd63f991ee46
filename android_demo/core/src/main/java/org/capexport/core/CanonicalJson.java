package org.capexport.core;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * Parsed JSON as compact ASCII text with sorted keys: what Python's {@code json.dumps(value,
 * sort_keys=True, separators=(",", ":"))} writes, and what a manifest's checksum is taken of.
 */
final class CanonicalJson {
  private CanonicalJson() {}

  static String write(Object value) {
    StringBuilder out = new StringBuilder();
    append(out, value);
    return out.toString();
  }

  private static void append(StringBuilder out, Object value) {
    if (value instanceof Map) appendObject(out, (Map<?, ?>) value);
    else if (value instanceof List) appendArray(out, (List<?>) value);
    else if (value instanceof String) appendString(out, (String) value);
    else out.append(value); // a number as it was spelled, true, false, null
  }

  private static void appendObject(StringBuilder out, Map<?, ?> fields) {
    List<String> keys = new ArrayList<String>();
    for (Object key : fields.keySet()) keys.add((String) key);
    Collections.sort(keys, BY_CODE_POINT);
    char before = '{';
    for (String key : keys) {
      out.append(before);
      appendString(out, key);
      out.append(':');
      append(out, fields.get(key));
      before = ',';
    }
    out.append(before == '{' ? "{}" : "}");
  }

  private static void appendArray(StringBuilder out, List<?> items) {
    char before = '[';
    for (Object item : items) {
      out.append(before);
      append(out, item);
      before = ',';
    }
    out.append(before == '[' ? "[]" : "]");
  }

  private static void appendString(StringBuilder out, String text) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      int named = "\"\\\b\f\n\r\t".indexOf(c);
      if (named >= 0) out.append('\\').append("\"\\bfnrt".charAt(named));
      else if (c >= ' ' && c <= '~') out.append(c);
      else out.append("\\u").append(Integer.toHexString(0x10000 | c).substring(1));
    }
    out.append('"');
  }

  /** Python sorts by code point; String.compareTo would put U+1F600 before U+FF01. */
  private static final Comparator<String> BY_CODE_POINT =
      new Comparator<String>() {
        @Override
        public int compare(String a, String b) {
          int at = 0;
          while (at < a.length() && at < b.length()) {
            int left = a.codePointAt(at);
            int right = b.codePointAt(at);
            if (left != right) return left < right ? -1 : 1;
            at += Character.charCount(left);
          }
          return a.length() - b.length();
        }
      };
}
