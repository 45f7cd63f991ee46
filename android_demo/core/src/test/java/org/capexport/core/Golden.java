package org.capexport.core;

import java.io.DataInputStream;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.List;
import java.util.Map;

/** Files that `python -m android_goldens` wrote; the system property "goldens" is their folder. */
final class Golden {
  static final File FOLDER = new File(System.getProperty("goldens"));

  private Golden() {}

  /** The cases of a JSON file. */
  static List<?> cases(String file) throws IOException {
    return (List<?>) JsonParser.parse(new String(bytes(file), "UTF-8"));
  }

  static byte[] bytes(String file) throws IOException {
    File path = new File(FOLDER, file);
    byte[] data = new byte[(int) path.length()];
    try (DataInputStream in = new DataInputStream(new FileInputStream(path))) {
      in.readFully(data);
    }
    return data;
  }

  /** Big-endian integers. */
  static int[] ints(String file) throws IOException {
    IntBuffer buffer = ByteBuffer.wrap(bytes(file)).asIntBuffer();
    int[] values = new int[buffer.remaining()];
    buffer.get(values);
    return values;
  }

  /** Big-endian floats. */
  static float[] floats(String file) throws IOException {
    FloatBuffer buffer = ByteBuffer.wrap(bytes(file)).asFloatBuffer();
    float[] values = new float[buffer.remaining()];
    buffer.get(values);
    return values;
  }

  static Object get(Object fields, String key) {
    if (!((Map<?, ?>) fields).containsKey(key)) throw new AssertionError("no " + key);
    return ((Map<?, ?>) fields).get(key);
  }

  static String text(Object fields, String key) {
    return (String) get(fields, key);
  }

  static int integer(Object fields, String key) {
    return Integer.parseInt(get(fields, key).toString());
  }

  static int[] integers(Object fields, String key) {
    List<?> items = (List<?>) get(fields, key);
    int[] values = new int[items.size()];
    for (int i = 0; i < values.length; i++) values[i] = Integer.parseInt(items.get(i).toString());
    return values;
  }
}
