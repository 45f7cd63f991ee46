package org.capexport.core;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** The contract between a captioner's two graphs and whoever runs them. */
public final class Signature {
  public static final String IMAGE = "image";
  static final String TOKEN = "token";
  static final String LOG_PROBS = "log_probs";

  /** What the encoder takes, one image at a time. */
  public final List<TensorSpec> inputs;
  /** What the encoder returns and every decoder step reads; shared by all hypotheses. */
  public final List<TensorSpec> memory;
  public final List<StateSpec> states;
  /** Width of the decoder's log-probabilities. */
  public final int vocabularySize;

  private Signature(Fields fields) throws CaptionException {
    inputs = tensors(fields, "inputs");
    memory = tensors(fields, "memory");
    List<StateSpec> read = new ArrayList<StateSpec>();
    for (Fields state : fields.children("states")) read.add(StateSpec.read(state));
    states = Collections.unmodifiableList(read);
    vocabularySize = fields.integer("vocabulary_size", 1, 1 << 24);
  }

  static Signature read(Fields fields) throws CaptionException {
    fields.expect("token", TOKEN);
    fields.expect("log_probs", LOG_PROBS);
    Signature signature = new Signature(fields);
    signature.checkNames(fields);
    signature.checkCaches(fields);
    return signature;
  }

  private static List<TensorSpec> tensors(Fields fields, String key) throws CaptionException {
    List<TensorSpec> read = new ArrayList<TensorSpec>();
    for (Fields spec : fields.children(key)) read.add(TensorSpec.read(spec));
    return Collections.unmodifiableList(read);
  }

  /** Names of the encoder's outputs: the memory, then what states start from. */
  Set<String> encoderOutputs() {
    Set<String> names = names(memory);
    for (StateSpec state : states) if (state.start != null) names.add(state.start);
    return names;
  }

  Set<String> stepInputs() {
    Set<String> names = names(memory);
    names.add(TOKEN);
    for (StateSpec state : states) names.add(state.tensor.name);
    return names;
  }

  Set<String> stepOutputs() {
    Set<String> names = new LinkedHashSet<String>();
    names.add(LOG_PROBS);
    for (StateSpec state : states) if (state.next != null) names.add(state.next);
    return names;
  }

  static Set<String> names(List<TensorSpec> specs) {
    Set<String> names = new LinkedHashSet<String>();
    for (TensorSpec spec : specs) names.add(spec.name);
    return names;
  }

  private void checkNames(Fields fields) throws CaptionException {
    Set<String> seen = new HashSet<String>();
    for (TensorSpec spec : inputs)
      if (!seen.add(spec.name)) throw fields.fail("two inputs are called " + spec.name);
    int tensors = 1 + memory.size() + states.size();
    if (stepInputs().size() != tensors) throw fields.fail("two tensors have one name");
    int starts = memory.size();
    for (StateSpec state : states) if (state.start != null) starts++;
    if (encoderOutputs().size() != starts) throw fields.fail("two tensors have one name");
  }

  private void checkCaches(Fields fields) throws CaptionException {
    boolean appends = false;
    boolean counts = false;
    for (StateSpec state : states) {
      appends |= state.update == StateSpec.Update.APPENDED;
      counts |= state.update == StateSpec.Update.COUNTED;
    }
    if (appends && !counts) throw fields.fail("a cache needs a counted state");
  }
}
