package org.capexport.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;

/** The search over states without a runtime, on the table that Python searched as well. */
public final class CaptionSessionTest {
  private static final Object[] CASES = cases();

  private static Object[] cases() {
    try {
      return Golden.cases("searches.json").toArray();
    } catch (IOException error) {
      throw new AssertionError(error);
    }
  }

  private static CaptionSession open(Object one) throws Exception {
    return open(one, Golden.floats(Golden.text(one, "table")));
  }

  private static CaptionSession open(Object one, float[] table) throws Exception {
    Bundle bundle = Bundle.open(new File(Golden.FOLDER, Golden.text(one, "bundle")));
    int vocabulary = bundle.manifest.signature.vocabularySize;
    TableGraph decoder = new TableGraph.Decoder(table, vocabulary);
    GraphOpener opener = TableGraph.opener(new TableGraph.Encoder(), decoder);
    return CaptionSession.open(bundle, Runtime.ONNXRUNTIME, opener);
  }

  private static Features features(Object one) throws CaptionException {
    float[][] att = new float[Golden.integer(one, "regions")][2];
    att[0][0] = Golden.integer(one, "start");
    return new Features(att, null, null);
  }

  private static Options options(Object one) {
    return Options.DEFAULT.withBeam(Golden.integer(one, "beam"));
  }

  @Test
  public void captionsAreThoseOfPython() throws Exception {
    assertTrue(CASES.length >= 100);
    for (Object one : CASES) {
      try (CaptionSession session = open(one)) {
        Caption caption = session.caption(features(one), options(one), null);
        assertArrayEquals(Golden.integers(one, "tokens"), caption.tokens, one.toString());
        int bits = Golden.integer(one, "log_prob_bits");
        assertEquals(bits, Float.floatToIntBits(caption.logProb), one.toString());
        assertEquals(Golden.text(one, "text"), caption.text, one.toString());
      }
    }
  }

  @Test
  public void wordsAppearAsTheyAreDecoded() throws Exception {
    for (Object one : CASES) {
      if (Golden.integer(one, "beam") != 1) continue;
      final List<String> shown = new ArrayList<String>();
      try (CaptionSession session = open(one)) {
        ProgressListener listener =
            new ProgressListener() {
              @Override
              public void onProgress(String text) {
                shown.add(text);
              }
            };
        String text = session.caption(features(one), options(one), listener).text;
        for (int i = 1; i < shown.size(); i++)
          assertTrue(shown.get(i).startsWith(shown.get(i - 1)));
        assertEquals(text, shown.isEmpty() ? "" : shown.get(shown.size() - 1));
      }
    }
  }

  @Test
  public void aCaptionCanBeCancelledAndTheNextIsWhole() throws Exception {
    Object one = longest();
    final Cancellation cancellation = new Cancellation();
    ProgressListener listener =
        new ProgressListener() {
          @Override
          public void onProgress(String text) {
            assertTrue(!cancellation.isCancelled(), "it went on");
            cancellation.cancel();
          }
        };
    try (CaptionSession session = open(one)) {
      try {
        session.caption(features(one), options(one).withCancellation(cancellation), listener);
        fail("it was not cancelled");
      } catch (CancellationException expected) {
        Caption caption = session.caption(features(one), options(one), null);
        assertArrayEquals(Golden.integers(one, "tokens"), caption.tokens);
      }
    }
  }

  private static Object longest() {
    Object longest = CASES[0];
    for (Object one : CASES)
      if (Golden.integers(one, "tokens").length > Golden.integers(longest, "tokens").length)
        longest = one;
    return longest;
  }

  @Test
  public void threadsShareASession() throws Exception {
    final Object one = longest();
    final List<Throwable> failures = new ArrayList<Throwable>();
    try (final CaptionSession session = open(one)) {
      Thread[] threads = new Thread[4];
      for (int i = 0; i < threads.length; i++) {
        threads[i] =
            new Thread() {
              @Override
              public void run() {
                try {
                  for (int n = 0; n < 20; n++) {
                    Caption caption = session.caption(features(one), options(one), null);
                    assertArrayEquals(Golden.integers(one, "tokens"), caption.tokens);
                  }
                } catch (Throwable failure) {
                  synchronized (failures) {
                    failures.add(failure);
                  }
                }
              }
            };
        threads[i].start();
      }
      for (Thread thread : threads) thread.join();
    }
    assertTrue(failures.isEmpty(), failures.toString());
  }

  @Test
  public void aBeamThatCannotBeIsRefused() throws Exception {
    try (CaptionSession session = open(CASES[0])) {
      int tooMany = session.bundle.manifest.signature.vocabularySize + 1;
      for (int beam : new int[] {-1, tooMany}) {
        try {
          session.caption(features(CASES[0]), Options.DEFAULT.withBeam(beam), null);
          fail("beam " + beam);
        } catch (CaptionException expected) {
          assertTrue(expected.what.contains("beam width"));
        }
      }
    }
  }

  @Test
  public void notANumberIsAnErrorWhereverItStands() throws Exception {
    for (Object one : CASES) {
      float[] table = Golden.floats(Golden.text(one, "table"));
      for (int at = 0; at < table.length; at += 3) table[at] = Float.NaN; // in every row
      try (CaptionSession session = open(one, table)) {
        session.caption(features(one), options(one), null);
        fail("a caption of " + one);
      } catch (CaptionException expected) {
        assertEquals("the model returns NaN", expected.what);
      }
    }
  }

  @Test
  public void featuresOfAnotherWidthAreRefused() throws Exception {
    try (CaptionSession session = open(CASES[0])) {
      session.caption(new Features(new float[][] {{1, 2, 3}}, null, null), Options.DEFAULT, null);
      fail("three numbers");
    } catch (CaptionException expected) {
      assertEquals("input att", expected.where);
    }
  }

  @Test
  public void picturesAreRefusedWhereFeaturesAreNeeded() throws Exception {
    try (CaptionSession session = open(CASES[0])) {
      session.caption(new Pixels(new int[1], 1, 1), Options.DEFAULT, null);
      fail("a picture");
    } catch (CaptionException expected) {
      assertTrue(expected.what.contains("region features"));
    }
  }

  @Test
  public void aClosedSessionSaysSo() throws Exception {
    CaptionSession session = open(CASES[0]);
    session.close();
    session.close();
    assertThrows(
        IllegalStateException.class,
        () -> session.caption(features(CASES[0]), Options.DEFAULT, null));
  }

  @Test
  public void graphsMustHaveTheNamesOfTheManifest() throws Exception {
    Bundle bundle = Bundle.open(new File(Golden.FOLDER, Golden.text(CASES[0], "bundle")));
    final List<TableGraph> opened = new ArrayList<TableGraph>();
    GraphOpener opener =
        new GraphOpener() {
          @Override
          public Graph open(File file) {
            opened.add(new TableGraph.Encoder());
            return opened.get(opened.size() - 1);
          }
        };
    try {
      CaptionSession.open(bundle, Runtime.ONNXRUNTIME, opener);
      fail("an encoder is no decoder");
    } catch (CaptionException expected) {
      assertTrue(expected.what.startsWith("the decoder's inputs"));
      for (TableGraph graph : opened) assertTrue(graph.isClosed);
    }
  }
}
