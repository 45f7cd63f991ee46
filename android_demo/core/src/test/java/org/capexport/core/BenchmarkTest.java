package org.capexport.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The report of a made-up captioner; Python reads the file that is written here. */
public final class BenchmarkTest {
  private static final int SAMPLES = 4;

  /** Of pictures_bundle: the same features for every picture. */
  private static final class Encoder extends TableGraph {
    Encoder() {
      super(new String[] {"image"}, new String[] {"features"});
    }

    @Override
    public void run() {
      outputs.put("features", new Tensor(DType.FLOAT32, 1, 3));
    }
  }

  /** Two words, then the end: h counts the steps. */
  private static final class Decoder extends TableGraph {
    Decoder() {
      super(new String[] {"token", "h", "features"}, new String[] {"log_probs", "h_next"});
    }

    @Override
    public void run() {
      float steps = inputs.get("h").floats().get(0);
      float[] logProbs = {-9, -9, -9, -9, -9, -9};
      logProbs[steps < 2 ? 4 : 3] = -0.25f;
      outputs.put("log_probs", Tensor.of(logProbs, 1, 6));
      outputs.put("h_next", Tensor.of(new float[] {steps + 1, 0, 0}, 1, 3));
    }
  }

  private static CaptionSession open() throws CaptionException {
    Bundle bundle = Bundle.open(new File(Golden.FOLDER, "pictures_bundle"));
    GraphOpener opener = TableGraph.opener(new Encoder(), new Decoder());
    return CaptionSession.open(bundle, Runtime.ONNXRUNTIME, opener);
  }

  @Test
  public void aReportHasEverySample() throws Exception {
    Options options = Options.DEFAULT.withBeam(1);
    String report;
    try (CaptionSession session = open()) {
      Benchmark benchmark = new Benchmark(session, Runtime.ONNXRUNTIME, 2);
      benchmark.run(new Pixels(new int[12], 4, 3), options, SAMPLES);
      List<String> doubts = Collections.singletonList("a \"test\"");
      Map<String, String> device = Collections.singletonMap("abi", "x");
      report = benchmark.report("measured-host", device, options, doubts);
    }
    Object document = JsonParser.parse(report);
    assertEquals(1, Golden.integer(document, "schema"));
    Object latencies = Golden.get(document, "latency_ms");
    assertEquals(SAMPLES, ((List<?>) Golden.get(latencies, "encoder")).size());
    assertEquals(SAMPLES, ((List<?>) Golden.get(latencies, "caption")).size());
    int steps = Golden.integer(Golden.get(document, "output"), "steps");
    assertEquals(3, steps);
    assertEquals(SAMPLES * steps, ((List<?>) Golden.get(latencies, "decoder_step")).size());
    List<?> reasons = (List<?>) Golden.get(Golden.get(document, "validity"), "reasons");
    assertEquals("a \"test\"", reasons.get(0));
    assertTrue(reasons.size() >= 2);
    try (OutputStream out = new FileOutputStream(new File(Golden.FOLDER, "report.json"))) {
      out.write(report.getBytes("UTF-8"));
    }
  }
}
