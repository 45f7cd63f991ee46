package org.capexport.core;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The two graphs of a bundle, open in a runtime. Any thread may call; one caption at a time. */
public final class CaptionSession implements AutoCloseable {
  public final Bundle bundle;

  private final Graph encoder;
  final Graph decoderStep;
  private boolean isClosed;

  private CaptionSession(Bundle bundle, Graph encoder, Graph decoderStep) throws CaptionException {
    this.bundle = bundle;
    this.encoder = encoder;
    this.decoderStep = decoderStep;
    Signature signature = bundle.manifest.signature;
    checkNames(encoder.inputNames(), Signature.names(signature.inputs), "the encoder's inputs");
    checkNames(encoder.outputNames(), signature.encoderOutputs(), "the encoder's outputs");
    checkNames(decoderStep.inputNames(), signature.stepInputs(), "the decoder's inputs");
    checkNames(decoderStep.outputNames(), signature.stepOutputs(), "the decoder's outputs");
  }

  /** Opens both graphs of the bundle for a runtime. */
  public static CaptionSession open(Bundle bundle, Runtime runtime, GraphOpener opener)
      throws CaptionException {
    Graph encoder = opener.open(bundle.graph(runtime, Bundle.ENCODER));
    Graph step = null;
    boolean isOpen = false;
    try {
      step = opener.open(bundle.graph(runtime, Bundle.DECODER_STEP));
      CaptionSession session = new CaptionSession(bundle, encoder, step);
      isOpen = true;
      return session;
    } finally {
      if (!isOpen) encoder.close();
      if (!isOpen && step != null) step.close();
    }
  }

  /** The caption of a picture. `listener` may be null. */
  public Caption caption(Pixels picture, Options options, ProgressListener listener)
      throws CaptionException {
    ImageSpec image = bundle.manifest.image;
    if (image == null)
      throw new CaptionException(
          "this bundle takes region features, not pictures",
          bundle.folder.getPath(),
          "export it with --encoder");
    long start = System.nanoTime();
    Tensor input = Resampler.resizeAndCrop(picture, image);
    return caption(Collections.singletonMap(Signature.IMAGE, input), options, listener, start);
  }

  /** The caption of region features. `listener` may be null. */
  public Caption caption(Features features, Options options, ProgressListener listener)
      throws CaptionException {
    long start = System.nanoTime();
    return caption(features.inputs(bundle.manifest.signature), options, listener, start);
  }

  synchronized Caption caption(
      Map<String, Tensor> inputs, Options options, ProgressListener listener, long start)
      throws CaptionException {
    if (isClosed) throw new IllegalStateException("the session is closed");
    Signature signature = bundle.manifest.signature;
    int beam = beam(options);
    if (options.cancellation != null) options.cancellation.check();
    long encoding = System.nanoTime();
    Map<String, Tensor> encoded = encode(inputs);
    long encoderNanos = System.nanoTime() - encoding;
    List<Long> steps = new ArrayList<Long>();
    Step step = new GraphStep(decoderStep, signature, beam, encoded, steps);
    BeamSearch search = new BeamSearch(bundle.manifest.decoding, beam, signature.vocabularySize);
    Hypothesis found = search.search(step, progress(options, listener));
    String text = bundle.vocabulary.text(found.tokens);
    return new Caption(found, text, encoderNanos, steps, System.nanoTime() - start);
  }

  int beam(Options options) throws CaptionException {
    int beam = options.beam == 0 ? bundle.manifest.decoding.beam : options.beam;
    int most = bundle.manifest.signature.vocabularySize;
    if (beam >= 1 && beam <= most) return beam;
    throw new CaptionException(
        "the beam width is " + beam, "options", "use a beam from 1 to " + most);
  }

  Map<String, Tensor> encode(Map<String, Tensor> inputs) throws CaptionException {
    Signature signature = bundle.manifest.signature;
    Map<String, Integer> axes = new HashMap<String, Integer>();
    for (TensorSpec spec : signature.inputs) {
      Tensor input = inputs.get(spec.name);
      if (input.type != spec.type || !spec.fits(input.shape, axes))
        throw new CaptionException(
            "the model takes " + spec + ", not " + input, "input " + spec.name, "make it fit");
      encoder.setInput(spec.name, input);
    }
    encoder.run();
    Map<String, Tensor> encoded = new LinkedHashMap<String, Tensor>();
    for (String name : signature.encoderOutputs()) encoded.put(name, encoder.output(name));
    return encoded;
  }

  private SearchProgress progress(final Options options, final ProgressListener listener) {
    return new SearchProgress() {
      private String shown = "";

      @Override
      public void onStep(Hypothesis leader) {
        if (options.cancellation != null) options.cancellation.check();
        if (listener == null) return;
        String text = bundle.vocabulary.text(leader.tokens);
        if (text.equals(shown)) return;
        shown = text;
        listener.onProgress(text);
      }
    };
  }

  private void checkNames(Set<String> present, Set<String> expected, String what)
      throws CaptionException {
    if (!present.equals(expected))
      throw new CaptionException(
          what + " are " + present + ", the manifest says " + expected,
          bundle.folder.getPath(),
          Fields.AGAIN);
  }

  /** Waits for a caption that is being computed. */
  @Override
  public synchronized void close() {
    if (isClosed) return;
    isClosed = true;
    encoder.close();
    decoderStep.close();
  }
}
