package org.capexport.core;

import java.io.File;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What capexport_bench measures, through the classes that an app calls, printed as it prints it:
 * the encoder, a caption's second decoder step and whole captions. Run by benchmarks/jvm.
 */
public final class CaptionTimes {
  private interface Work {
    void run() throws CaptionException;
  }

  private static final double NANOS_PER_MS = 1e6;
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  private final Options options;
  private final int warmUp;
  private final int count;
  private final Map<String, Object> wall = new LinkedHashMap<String, Object>();
  private final Map<String, Object> cpu = new LinkedHashMap<String, Object>();

  private CaptionTimes(int beam, int warmUp, int count) {
    options = Options.DEFAULT.withBeam(beam);
    this.warmUp = warmUp;
    this.count = count;
  }

  /** BUNDLE RUNTIME LIBRARY THREADS BEAM WARM_UP SAMPLES, then NAME TYPE FILE LENGTH,... of inputs. */
  public static void main(String[] words) throws Exception {
    Bundle bundle = Bundle.open(new File(words[0]));
    Runtime runtime = Runtime.named(words[1]);
    GraphOpener opener = NativeGraph.opener(runtime, words[2], number(words[3]));
    Map<String, Tensor> inputs = new LinkedHashMap<String, Tensor>();
    for (int i = 7; i < words.length; i += 4)
      inputs.put(words[i], tensor(words[i + 1], Paths.get(words[i + 2]), words[i + 3]));
    CaptionTimes times = new CaptionTimes(number(words[4]), number(words[5]), number(words[6]));
    try (CaptionSession session = CaptionSession.open(bundle, runtime, opener)) {
      System.out.println(times.document(session, inputs));
    }
  }

  private static int number(String word) {
    return Integer.parseInt(word);
  }

  private static Tensor tensor(String type, Path file, String lengths) throws Exception {
    String[] words = lengths.split(",");
    int[] shape = new int[words.length];
    for (int i = 0; i < shape.length; i++) shape[i] = number(words[i]);
    Tensor tensor = new Tensor(type.equals("uint8") ? DType.UINT8 : DType.FLOAT32, shape);
    tensor.view().put(Files.readAllBytes(file));
    return tensor;
  }

  private String document(CaptionSession session, Map<String, Tensor> inputs) throws Exception {
    measure("encoder", () -> {}, () -> session.encode(inputs));
    Caption[] last = new Caption[1];
    measure("caption", () -> {}, () -> last[0] = session.caption(inputs, options, null, 0));
    measureStep(session, session.encode(inputs));
    List<Object> tokens = new ArrayList<Object>();
    for (int token : last[0].tokens) tokens.add(token);
    Map<String, Object> document = new LinkedHashMap<String, Object>();
    document.put("tokens", tokens);
    document.put("steps", last[0].stepNanos.length);
    document.put("samples_ms", wall);
    document.put("thread_cpu_ms", cpu);
    return CanonicalJson.write(document);
  }

  private void measureStep(CaptionSession session, Map<String, Tensor> encoded)
      throws CaptionException {
    Signature signature = session.bundle.manifest.signature;
    int beam = session.beam(options);
    int[] tokens = new int[beam];
    float[] logProbs = new float[beam * signature.vocabularySize];
    GraphStep[] step = new GraphStep[1];
    measure(
        "decoder_step",
        () -> {
          step[0] =
              new GraphStep(
                  session.decoderStep, signature, beam, encoded, new ArrayList<Long>());
          step[0].run(tokens, logProbs);
        },
        () -> step[0].run(tokens, logProbs));
  }

  /** `before` belongs to no sample. */
  private void measure(String name, Work before, Work work) throws CaptionException {
    List<Object> wallMs = new ArrayList<Object>();
    List<Object> cpuMs = new ArrayList<Object>();
    for (int i = 0; i < warmUp + count; i++) {
      before.run();
      long cpuStart = THREADS.getCurrentThreadCpuTime();
      long start = System.nanoTime();
      work.run();
      long nanos = System.nanoTime() - start;
      long cpuNanos = THREADS.getCurrentThreadCpuTime() - cpuStart;
      if (i < warmUp) continue;
      wallMs.add(nanos / NANOS_PER_MS);
      cpuMs.add(cpuNanos / NANOS_PER_MS);
    }
    wall.put(name, wallMs);
    cpu.put(name, cpuMs);
  }
}
