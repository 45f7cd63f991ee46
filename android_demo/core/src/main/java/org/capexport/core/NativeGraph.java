package org.capexport.core;

import java.io.File;
import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * A graph in the native library: LiteRT or ONNX Runtime with capexport's kernels, the same C code on
 * a phone and on a desktop. One thread at a time.
 */
public final class NativeGraph implements Graph {
  private static final Charset UTF_8 = Charset.forName("UTF-8");
  private static final int MOST_AXES = 8;
  private static final int MOST_MESSAGE = 256;

  static {
    String path = System.getProperty("capexport.library");
    if (path == null) System.loadLibrary("capexport_captioner");
    else System.load(path);
  }

  private final String path;
  private final Map<String, byte[]> inputs = new LinkedHashMap<String, byte[]>();
  private final Map<String, byte[]> outputs = new LinkedHashMap<String, byte[]>();
  private final Map<String, Tensor> bound = new HashMap<String, Tensor>(); // kept from collection
  private final int[] layout = new int[MOST_AXES + 2]; // lengths, rank, type
  private long handle;

  private NativeGraph(long handle, String path) {
    this.handle = handle;
    this.path = path;
    byte[] name;
    for (int i = 0; (name = inputName(handle, i)) != null; i++) inputs.put(text(name), name);
    for (int i = 0; (name = outputName(handle, i)) != null; i++) outputs.put(text(name), name);
  }

  /**
   * What opens graphs in a runtime.
   *
   * @param library path of the runtime's shared library, or, inside an app, its bare name.
   * @param threads that share the work of an operator, 1 to 64.
   */
  public static GraphOpener opener(final Runtime runtime, final String library, final int threads)
      throws CaptionException {
    if (threads < 1 || threads > 64)
      throw new CaptionException(threads + " threads", "options", "use from 1 to 64 threads");
    return new GraphOpener() {
      @Override
      public Graph open(File file) throws CaptionException {
        return NativeGraph.open(runtime, library, file, threads);
      }
    };
  }

  private static NativeGraph open(Runtime runtime, String library, File file, int threads)
      throws CaptionException {
    byte[] message = new byte[MOST_MESSAGE];
    byte[] model = bytes(file.getPath());
    long handle = open(runtime.ordinal(), bytes(library), model, threads, message);
    if (handle != 0) return new NativeGraph(handle, file.getPath());
    int length = 0;
    while (length < message.length && message[length] != 0) length++;
    throw new CaptionException(
        text(Arrays.copyOf(message, length)),
        file.getPath(),
        "use the versions of " + runtime.label + " that the bundle's card names");
  }

  @Override
  public Set<String> inputNames() {
    return Collections.unmodifiableSet(inputs.keySet());
  }

  @Override
  public Set<String> outputNames() {
    return Collections.unmodifiableSet(outputs.keySet());
  }

  @Override
  public void setInput(String name, Tensor tensor) throws CaptionException {
    if (bound.get(name) == tensor) return; // its data are read again without being asked to
    byte[] bytes = named(inputs, name);
    check(setInput(open(), bytes, tensor.type.code, tensor.shape, tensor.data), name);
    bound.put(name, tensor);
  }

  @Override
  public void run() throws CaptionException {
    check(run(open()), "run");
  }

  @Override
  public Tensor output(String name) throws CaptionException {
    ByteBuffer data = output(open(), named(outputs, name), layout);
    if (data == null) check(1, name);
    int[] shape = Arrays.copyOf(layout, layout[MOST_AXES]);
    return new Tensor(data, DType.coded(layout[MOST_AXES + 1]), shape);
  }

  @Override
  public void readOutput(String name, ByteBuffer into) throws CaptionException {
    if (!into.isDirect()) throw new IllegalArgumentException("no direct buffer");
    int status = readOutput(open(), named(outputs, name), into, into.capacity());
    if (status < 0)
      throw new CaptionException(
          name + " has not " + into.capacity() + " bytes", path, Fields.AGAIN);
    check(status, name);
  }

  @Override
  public void close() {
    if (handle != 0) close(handle);
    handle = 0;
    bound.clear();
  }

  private long open() {
    if (handle == 0) throw new IllegalStateException("the graph is closed");
    return handle;
  }

  private byte[] named(Map<String, byte[]> names, String name) throws CaptionException {
    byte[] bytes = names.get(name);
    if (bytes != null) return bytes;
    throw new CaptionException(
        "the graph has no " + name, path, "use one of " + new ArrayList<String>(names.keySet()));
  }

  private void check(int status, String where) throws CaptionException {
    if (status == 0) return;
    throw new CaptionException(text(message(handle)), path + ": " + where, Fields.AGAIN);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }

  private static String text(byte[] bytes) {
    return Utf8.decode(bytes);
  }

  private static native long open(
      int runtime, byte[] library, byte[] model, int threads, byte[] message);

  private static native void close(long handle);

  private static native byte[] message(long handle);

  private static native byte[] inputName(long handle, int number);

  private static native byte[] outputName(long handle, int number);

  private static native int setInput(
      long handle, byte[] name, int type, int[] shape, ByteBuffer data);

  private static native int run(long handle);

  private static native ByteBuffer output(long handle, byte[] name, int[] layout);

  private static native int readOutput(long handle, byte[] name, ByteBuffer into, int bytes);
}
