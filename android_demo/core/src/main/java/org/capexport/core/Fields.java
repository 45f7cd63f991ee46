package org.capexport.core;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** One JSON object; every wrong or missing value is a CaptionException that names its key. */
final class Fields {
  static final String AGAIN = "export the bundle again";

  final String where;
  private final Map<?, ?> fields;

  Fields(Object value, String where) throws CaptionException {
    this.where = where;
    if (!(value instanceof Map)) throw new CaptionException("no object", where, AGAIN);
    fields = (Map<?, ?>) value;
  }

  Map<?, ?> raw() {
    return fields;
  }

  boolean has(String key) {
    return fields.containsKey(key);
  }

  String text(String key) throws CaptionException {
    return of(key, String.class, "a string");
  }

  /** The text, or `other` where the key is absent. */
  String text(String key, String other) throws CaptionException {
    return has(key) ? text(key) : other;
  }

  /** Whether it is true; false where the key is absent. */
  boolean flag(String key) throws CaptionException {
    return has(key) && of(key, Boolean.class, "true or false");
  }

  int integer(String key, int low, int high) throws CaptionException {
    JsonNumber number = of(key, JsonNumber.class, "an integer");
    double value = number.value();
    if (!number.isInteger() || value < low || value > high)
      throw fail(key + " is " + number + ", not an integer from " + low + " to " + high);
    return (int) value;
  }

  /** The integer; null where the file says null. */
  Integer optionalInteger(String key, int low, int high) throws CaptionException {
    if (has(key) && fields.get(key) == null) return null;
    return integer(key, low, high);
  }

  /** A number from -most to most; 0 where the key is absent. */
  double number(String key, double most) throws CaptionException {
    if (!has(key)) return 0;
    double value = of(key, JsonNumber.class, "a number").value();
    if (!(Math.abs(value) <= most)) throw fail(key + " must be a number up to " + most);
    return value;
  }

  List<?> array(String key) throws CaptionException {
    return of(key, List.class, "an array");
  }

  Fields child(String key) throws CaptionException {
    return new Fields(of(key, Map.class, "an object"), where + "." + key);
  }

  List<Fields> children(String key) throws CaptionException {
    List<Fields> children = new ArrayList<Fields>();
    for (Object item : array(key))
      children.add(new Fields(item, where + "." + key + "[" + children.size() + "]"));
    return children;
  }

  /** Fails unless the field says exactly `value`. */
  void expect(String key, String value) throws CaptionException {
    String given = text(key);
    if (!given.equals(value)) throw fail(key + " is " + given + ", the schema fixes " + value);
  }

  /** The exception for this object, to be thrown by the caller. */
  CaptionException fail(String what) {
    return new CaptionException(what, where, AGAIN);
  }

  private <T> T of(String key, Class<T> kind, String name) throws CaptionException {
    if (!has(key)) throw fail("the key " + key + " is missing");
    Object value = fields.get(key);
    if (!kind.isInstance(value)) throw fail(key + " must be " + name);
    return kind.cast(value);
  }
}
