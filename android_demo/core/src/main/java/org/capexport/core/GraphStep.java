package org.capexport.core;

import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;

/** The decoder step of a bundle as beam search wants it. */
final class GraphStep implements Step {
  private final Graph graph;
  private final DecoderStates states;
  private final Tensor token;
  private final Tensor logProbs;
  private final FloatBuffer logProbsView;
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
    logProbs = new Tensor(DType.FLOAT32, beams, signature.vocabularySize);
    logProbsView = logProbs.floats();
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
    graph.readOutput(Signature.LOG_PROBS, logProbs.data);
    states.advance(graph);
    nanos.add(System.nanoTime() - start);
    logProbsView.position(0);
    logProbsView.get(into);
    for (float value : into)
      if (value != value) // NaN alone differs from itself
        throw new CaptionException(
            "the model returns NaN", Signature.LOG_PROBS, "scale features as in training");
  }

  @Override
  public void gather(int[] rows) {
    states.gather(rows);
  }
}
