package org.capexport.core;

/** A tensor that the decoder step reads, one row per hypothesis, and its value afterwards. */
public final class StateSpec {
  /** What becomes of a state after a step. */
  public enum Update {
    /** The step returns the whole next value. */
    REPLACED,
    /** A cache: the step returns the next rows, which the host writes. */
    APPENDED,
    /** The number of steps before; the host adds one. */
    COUNTED
  }

  public final TensorSpec tensor;
  public final Update update;
  /** The step's output with what comes next; null for a counted state. */
  public final String next;
  /** The encoder's output that every hypothesis starts from; null: zeros. */
  public final String start;
  /** Rows along axis 1 that a step appends. */
  public final int rows;

  private StateSpec(TensorSpec tensor, Update update, String next, String start, int rows) {
    this.tensor = tensor;
    this.update = update;
    this.next = next;
    this.start = start;
    this.rows = rows;
  }

  static StateSpec read(Fields fields) throws CaptionException {
    TensorSpec tensor = TensorSpec.read(fields);
    if (tensor.rank() == 0 || !tensor.isAxis(0, TensorSpec.BEAMS))
      throw fields.fail("the first axis of a state must be " + TensorSpec.BEAMS);
    for (int i = 1; i < tensor.rank(); i++)
      if (tensor.length(i) == 0) throw fields.fail("only the first axis of a state has a name");
    String start = fields.has("start") ? fields.text("start") : null;
    String update = fields.text("update", "replaced"); // schema 1 knew no other
    if (update.equals("counted")) return counted(fields, tensor, start);
    String next = tensor.name + "_next";
    fields.expect("next", next);
    if (update.equals("replaced")) return new StateSpec(tensor, Update.REPLACED, next, start, 0);
    if (update.equals("appended"))
      return new StateSpec(tensor, Update.APPENDED, next, start, rows(fields, tensor));
    throw fields.fail("update is " + update + ", it must be replaced, appended or counted");
  }

  private static StateSpec counted(Fields fields, TensorSpec tensor, String start)
      throws CaptionException {
    if (tensor.rank() != 1 || tensor.type != DType.INT32 || start != null)
      throw fields.fail("a counted state must be int32 [beams] and start at zero");
    return new StateSpec(tensor, Update.COUNTED, null, null, 0);
  }

  private static int rows(Fields fields, TensorSpec tensor) throws CaptionException {
    int rows = fields.integer("rows", 1, Integer.MAX_VALUE);
    if (tensor.rank() < 2 || tensor.length(1) % rows != 0)
      throw fields.fail("a cache " + tensor + " does not hold steps of " + rows + " rows");
    return rows;
  }
}
