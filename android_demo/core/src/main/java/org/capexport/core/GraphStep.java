package org.capexport.core;

import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;

/** The decoder step of a bundle as beam search wants it. */
final class GraphStep implements Step {
  private final Graph graph;
  private final DecoderStates states;
  private final Tensor token;
  private final List<Long> nanos;

  /**
   * @param encoded the encoder's outputs by name.
   * @param nanos gets the time of every step.
   */
  GraphStep(
      Graph graph, Signature signature, int beams, Map<String, Tensor> encoded, List<Long> nanos)
      throws CaptionException {
    this.graph = graph;
    this.nanos = nanos;
    states = new DecoderStates(signature.states, beams, encoded);
    token = new Tensor(DType.INT32, beams);
    for (TensorSpec memory : signature.memory)
      graph.setInput(memory.name, encoded.get(memory.name));
    graph.setInput(Signature.TOKEN, token);
  }

  @Override
  public void run(int[] tokens, float[] into) throws CaptionException {
    long start = System.nanoTime();
    token.ints().put(tokens);
    states.bind(graph);
    graph.run();
    read(graph.output(Signature.LOG_PROBS), into);
    states.advance(graph);
    nanos.add(System.nanoTime() - start);
  }

  private static void read(Tensor logProbs, float[] into) throws CaptionException {
    FloatBuffer values = logProbs.floats();
    if (logProbs.type != DType.FLOAT32 || values.limit() != into.length)
      throw new CaptionException(
          "the model returns " + logProbs + " for " + into.length + " log-probabilities",
          Signature.LOG_PROBS,
          Fields.AGAIN);
    values.get(into);
  }

  @Override
  public void gather(int[] rows) {
    states.gather(rows);
  }
}
