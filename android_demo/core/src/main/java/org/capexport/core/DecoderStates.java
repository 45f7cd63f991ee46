package org.capexport.core;

import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The decoder step's states, one row per hypothesis; memory is allocated once per caption. */
final class DecoderStates {
  private static final class State {
    final StateSpec spec;
    Tensor current;
    Tensor spare; // null until hypotheses change places, which in greedy search they never do
    Tensor next; // of an appended state: what the step returns

    State(StateSpec spec, Tensor current) {
      this.spec = spec;
      this.current = current;
      if (spec.update != StateSpec.Update.APPENDED) return;
      int[] shape = current.shape.clone();
      shape[1] = spec.rows;
      next = new Tensor(current.type, shape);
    }
  }

  private final List<State> states = new ArrayList<State>();
  private int steps;

  /** Zeros, or what the encoder returned, repeated. */
  DecoderStates(List<StateSpec> specs, int beams, Map<String, Tensor> encoded)
      throws CaptionException {
    for (StateSpec spec : specs) {
      int[] shape = new int[spec.tensor.rank()];
      shape[0] = beams;
      for (int i = 1; i < shape.length; i++) shape[i] = spec.tensor.length(i);
      Tensor first = new Tensor(spec.tensor.type, shape);
      if (spec.start != null) repeat(encoded.get(spec.start), first, spec.start);
      states.add(new State(spec, first));
    }
  }

  private static void repeat(Tensor row, Tensor into, String name) throws CaptionException {
    if (row.bytes() != into.rowBytes())
      throw new CaptionException(
          "the encoder returns " + row + " for rows of " + into, "output " + name, Fields.AGAIN);
    ByteBuffer out = into.view();
    while (out.hasRemaining()) out.put(row.view());
  }

  /** Gives the graph its inputs. */
  void bind(Graph step) throws CaptionException {
    for (State state : states) step.setInput(state.spec.tensor.name, state.current);
  }

  /** Takes over what the graph's last run returned. */
  void advance(Graph step) throws CaptionException {
    for (State state : states) {
      switch (state.spec.update) {
        case REPLACED:
          step.readOutput(state.spec.next, state.current.data);
          break;
        case APPENDED:
          step.readOutput(state.spec.next, state.next.data);
          append(state);
          break;
        default:
          IntBuffer counts = state.current.ints();
          for (int i = 0; i < counts.limit(); i++) counts.put(i, steps + 1);
      }
    }
    steps++;
  }

  private void append(State state) throws CaptionException {
    int capacity = state.current.shape[1];
    int first = steps * state.spec.rows;
    if (first + state.spec.rows > capacity)
      throw new CaptionException(
          "the cache holds " + capacity / state.spec.rows + " steps, this is one more",
          "state " + state.spec.tensor.name,
          Fields.AGAIN);
    int rowBytes = state.current.rowBytes();
    int newBytes = state.next.rowBytes();
    for (int beam = 0; beam < state.current.shape[0]; beam++) {
      int at = beam * rowBytes + first * (rowBytes / capacity);
      copy(state.next, beam * newBytes, state.current, at, newBytes);
    }
  }

  /** Makes row i what row rows[i] was, for every i. */
  void gather(int[] rows) {
    if (isIdentity(rows)) return;
    for (State state : states) {
      int bytes = state.current.rowBytes();
      if (state.spare == null) state.spare = new Tensor(state.current.type, state.current.shape);
      for (int i = 0; i < rows.length; i++)
        copy(state.current, rows[i] * bytes, state.spare, i * bytes, bytes);
      Tensor gathered = state.spare;
      state.spare = state.current;
      state.current = gathered;
    }
  }

  private static boolean isIdentity(int[] rows) {
    for (int i = 0; i < rows.length; i++) if (rows[i] != i) return false;
    return true;
  }

  private static void copy(Tensor from, int fromAt, Tensor into, int intoAt, int bytes) {
    ByteBuffer source = from.view();
    ByteBuffer target = into.view();
    source.position(fromAt).limit(fromAt + bytes);
    target.position(intoAt);
    target.put(source);
  }
}
