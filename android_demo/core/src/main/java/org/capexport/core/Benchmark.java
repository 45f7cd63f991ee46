package org.capexport.core;

import java.io.BufferedReader;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileReader;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How long captions take, by the very calls that an app makes, as the JSON document of `capexport
 * bench` (schema 1), which `capexport report` and `compare` read.
 */
public final class Benchmark {
  private static final int WARM_UP = 3;
  private static final int LEAST_SAMPLES = 30;
  private static final double NANOS_PER_MS = 1e6;

  private final CaptionSession session;
  private final Runtime runtime;
  private final int threads;
  private final List<Object> encoder = new ArrayList<Object>();
  private final List<Object> steps = new ArrayList<Object>();
  private final List<Object> captions = new ArrayList<Object>();
  private Caption last;

  /** Of an open session; the runtime and the number of threads are those it was opened with. */
  public Benchmark(CaptionSession session, Runtime runtime, int threads) {
    this.session = session;
    this.runtime = runtime;
    this.threads = threads;
  }

  /**
   * Captions a picture again and again.
   *
   * @param options may carry a cancellation.
   * @param samples captions after the warm-up, all in one round.
   */
  public void run(Pixels picture, Options options, int samples) throws CaptionException {
    for (int i = 0; i < WARM_UP; i++) session.caption(picture, options, null);
    for (int i = 0; i < samples; i++) add(session.caption(picture, options, null));
  }

  private void add(Caption caption) {
    last = caption;
    encoder.add(caption.encoderNanos / NANOS_PER_MS);
    for (long nanos : caption.stepNanos) steps.add(nanos / NANOS_PER_MS);
    captions.add(caption.totalNanos / NANOS_PER_MS);
  }

  /**
   * The report, after a run.
   *
   * @param kind measured-device or measured-host.
   * @param device facts about it.
   * @param options those of the run.
   * @param doubts why the times may not be trusted, such as a debug build.
   */
  public String report(
      String kind, Map<String, ?> device, Options options, List<String> doubts)
      throws CaptionException {
    if (last == null) throw new IllegalStateException("nothing was measured");
    Map<String, Object> document = new LinkedHashMap<String, Object>();
    document.put("schema", 1);
    document.put("kind", kind);
    document.put("device", device);
    document.put("bundle_sha256", bundleDigest());
    document.put("settings", settings(options));
    document.put("output", output());
    document.put("latency_ms", latencies());
    document.put("memory", memory());
    document.put("validity", validity(doubts));
    return CanonicalJson.write(document);
  }

  private Map<String, Object> latencies() {
    Map<String, Object> latencies = new LinkedHashMap<String, Object>();
    latencies.put("encoder", encoder);
    latencies.put("decoder_step", steps);
    latencies.put("caption", captions);
    return latencies;
  }

  private Map<String, Object> settings(Options options) {
    int beam = options.beam == 0 ? session.bundle.manifest.decoding.beam : options.beam;
    Map<String, Object> settings = new LinkedHashMap<String, Object>();
    settings.put("runtime", runtime.label);
    settings.put("threads", threads);
    settings.put("beam", beam);
    settings.put("rounds", 1);
    settings.put("samples", captions.size());
    settings.put("warm_up", WARM_UP);
    settings.put("program", "android_demo");
    return settings;
  }

  private Map<String, Object> output() {
    List<Object> tokens = new ArrayList<Object>();
    for (int token : last.tokens) tokens.add(token);
    Map<String, Object> output = new LinkedHashMap<String, Object>();
    output.put("tokens", tokens);
    output.put("log_prob", last.logProb);
    output.put("text", last.text);
    output.put("steps", last.stepNanos.length);
    return output;
  }

  private Map<String, Object> validity(List<String> doubts) {
    List<Object> reasons = new ArrayList<Object>(doubts);
    if (captions.size() < LEAST_SAMPLES)
      reasons.add(captions.size() + " samples are less than " + LEAST_SAMPLES);
    reasons.add("one round only: clock and temperature were not watched");
    Map<String, Object> validity = new LinkedHashMap<String, Object>();
    validity.put("valid", false);
    validity.put("reasons", reasons);
    return validity;
  }

  /** Digest of the manifest, which has the digest of every other file. */
  private String bundleDigest() throws CaptionException {
    File manifest = new File(session.bundle.folder, Manifest.FILE);
    try (InputStream in = new FileInputStream(manifest)) {
      return Sha256.of(in);
    } catch (IOException error) {
      String what = "cannot be read: " + error.getMessage();
      throw new CaptionException(what, manifest.getPath(), "copy the bundle again", error);
    }
  }

  /** Peak resident memory of the process, where the kernel tells it. */
  private static Map<String, Object> memory() {
    Map<String, Object> memory = new LinkedHashMap<String, Object>();
    try (BufferedReader in = new BufferedReader(new FileReader("/proc/self/status"))) {
      for (String line; (line = in.readLine()) != null; )
        if (line.startsWith("VmHWM:"))
          memory.put("peak_rss_kib", Integer.valueOf(line.replaceAll("[^0-9]", "")));
    } catch (IOException error) {
      return memory; // a section that was not measured is empty
    }
    return memory;
  }
}
