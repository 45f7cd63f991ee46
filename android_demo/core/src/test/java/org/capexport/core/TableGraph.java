package org.capexport.core;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Graphs of the made-up captioner of tests/android_goldens/table_captioner.py, which states in
 * Python what they compute: a table of log-probabilities whose row depends on every state.
 */
abstract class TableGraph implements Graph {
  boolean isClosed;
  final Map<String, Tensor> inputs = new HashMap<String, Tensor>();
  final Map<String, Tensor> outputs = new HashMap<String, Tensor>();

  private final Set<String> inputNames;
  private final Set<String> outputNames;

  TableGraph(String[] inputNames, String[] outputNames) {
    this.inputNames = new HashSet<String>(Arrays.asList(inputNames));
    this.outputNames = new HashSet<String>(Arrays.asList(outputNames));
  }

  /** What gives a session these graphs, by the names of the files that it asks for. */
  static GraphOpener opener(TableGraph encoder, TableGraph decoder) {
    return file -> file.getName().startsWith("encoder") ? encoder : decoder;
  }

  @Override
  public Set<String> inputNames() {
    return inputNames;
  }

  @Override
  public Set<String> outputNames() {
    return outputNames;
  }

  @Override
  public void setInput(String name, Tensor tensor) {
    if (!inputNames.contains(name)) throw new AssertionError(name);
    inputs.put(name, tensor);
  }

  @Override
  public Tensor output(String name) {
    return outputs.get(name);
  }

  @Override
  public void readOutput(String name, ByteBuffer into) {
    ByteBuffer view = outputs.get(name).view();
    if (view.remaining() != into.capacity()) throw new AssertionError(name);
    into.duplicate().put(view);
  }

  @Override
  public void close() {
    isClosed = true;
  }

  /** att [regions, 2] to the memory itself and the start of h. */
  static final class Encoder extends TableGraph {
    Encoder() {
      super(new String[] {"att"}, new String[] {"memory", "h_start"});
    }

    @Override
    public void run() {
      Tensor start = new Tensor(DType.INT32, 1, 1);
      start.ints().put(0, (int) inputs.get("att").floats().get(0));
      outputs.put("memory", inputs.get("att"));
      outputs.put("h_start", start);
    }
  }

  /** token, h, cache, count and the memory to a row of the table. */
  static final class Decoder extends TableGraph {
    private final float[] table;
    private final int vocabulary;

    Decoder(float[] table, int vocabulary) {
      super(
          new String[] {"token", "h", "cache", "count", "memory"},
          new String[] {"log_probs", "h_next", "cache_next"});
      this.table = table;
      this.vocabulary = vocabulary;
    }

    @Override
    public void run() {
      Tensor token = inputs.get("token");
      Tensor cache = inputs.get("cache");
      int beams = token.shape[0];
      int capacity = cache.shape[1];
      Tensor logProbs = new Tensor(DType.FLOAT32, beams, vocabulary);
      Tensor next = new Tensor(DType.INT32, beams, 1);
      Tensor rows = new Tensor(DType.INT32, beams, 2, 1);
      for (int i = 0; i < beams; i++) {
        long sum = 31L * inputs.get("h").ints().get(i) + 7L * token.ints().get(i);
        sum += 13L * inputs.get("count").ints().get(i) + inputs.get("memory").shape[0];
        for (int j = 0; j < capacity; j++) sum += (j + 1L) * cache.ints().get(i * capacity + j);
        int row = (int) (sum % (table.length / vocabulary));
        for (int w = 0; w < vocabulary; w++)
          logProbs.floats().put(i * vocabulary + w, table[row * vocabulary + w]);
        next.ints().put(i, row);
        rows.ints().put(2 * i, row).put(2 * i + 1, row + 1);
      }
      outputs.put("log_probs", logProbs);
      outputs.put("h_next", next);
      outputs.put("cache_next", rows);
    }
  }
}
