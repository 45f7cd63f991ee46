package org.capexport.core;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Captions that Python made, and whether a session makes the same: on a desktop JVM and on a phone.
 * captions.json names inputs, whose numbers are big-endian: NAME.argb, or NAME.att, .fc and .box.
 */
public final class GoldenCaptions {
  /** Where the goldens are: a folder, or an app's assets. */
  public interface Files {
    InputStream open(String name) throws IOException;
  }

  /** Between two builds of one runtime, by other exponentials: nats for each token. */
  private static final double LOG_PROB_TOLERANCE = 2e-5;

  private final Files files;

  public GoldenCaptions(Files files) {
    this.files = files;
  }

  /** The captions of a bundle, or of all bundles (null), in a runtime. */
  public List<Object> cases(String bundle, Runtime runtime) throws IOException {
    List<Object> found = new ArrayList<Object>();
    for (Object one : (List<?>) JsonParser.parse(new String(bytes("captions.json"), "UTF-8")))
      if (text(one, "runtime").equals(runtime.label)
          && (bundle == null || text(one, "bundle").equals(bundle))) found.add(one);
    return found;
  }

  /** What the session makes of a case's input. */
  public Caption caption(CaptionSession session, Object one) throws CaptionException, IOException {
    String input = text(one, "input");
    int[] shape = integers(one, "shape");
    Options options = Options.DEFAULT.withBeam(Integer.parseInt(get(one, "beam").toString()));
    if (session.bundle.manifest.image != null)
      return session.caption(pixels(input, shape), options, null);
    float[][] att = rows(floats(input + ".att"), shape[0]);
    float[][] box = rows(floats(input + ".box"), shape[0]);
    return session.caption(new Features(att, floats(input + ".fc"), box), options, null);
  }

  /** The picture of a case, for a benchmark. */
  public Pixels pixels(Object one) throws CaptionException, IOException {
    return pixels(text(one, "input"), integers(one, "shape"));
  }

  /** How a caption differs from the case; null where it does not. */
  public static String difference(Caption caption, Object one) {
    int[] tokens = integers(one, "tokens");
    if (!Arrays.equals(tokens, caption.tokens))
      return one + ": tokens " + Arrays.toString(caption.tokens);
    if (!text(one, "text").equals(caption.text)) return one + ": text " + caption.text;
    double expected = Double.parseDouble(get(one, "log_prob").toString());
    double most = LOG_PROB_TOLERANCE * tokens.length;
    if (!(Math.abs(expected - caption.logProb) <= most)) return one + ": " + caption.logProb;
    return null;
  }

  public static String text(Object fields, String key) {
    return (String) get(fields, key);
  }

  private static int[] integers(Object fields, String key) {
    List<?> items = (List<?>) get(fields, key);
    int[] values = new int[items.size()];
    for (int i = 0; i < values.length; i++) values[i] = Integer.parseInt(items.get(i).toString());
    return values;
  }

  private static Object get(Object fields, String key) {
    if (!((Map<?, ?>) fields).containsKey(key)) throw new AssertionError("no " + key);
    return ((Map<?, ?>) fields).get(key);
  }

  private Pixels pixels(String input, int[] shape) throws CaptionException, IOException {
    IntBuffer buffer = ByteBuffer.wrap(bytes(input + ".argb")).asIntBuffer();
    int[] argb = new int[buffer.remaining()];
    buffer.get(argb);
    return new Pixels(argb, shape[1], shape[0]);
  }

  private float[] floats(String name) throws IOException {
    FloatBuffer buffer = ByteBuffer.wrap(bytes(name)).asFloatBuffer();
    float[] values = new float[buffer.remaining()];
    buffer.get(values);
    return values;
  }

  private static float[][] rows(float[] values, int count) {
    int width = values.length / count;
    float[][] rows = new float[count][];
    for (int i = 0; i < count; i++) rows[i] = Arrays.copyOfRange(values, i * width, (i + 1) * width);
    return rows;
  }

  private byte[] bytes(String name) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (InputStream in = files.open(name)) {
      byte[] block = new byte[1 << 16];
      for (int count; (count = in.read(block)) >= 0; ) out.write(block, 0, count);
    }
    return out.toByteArray();
  }
}
