package org.capexport.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Bundles through the real native library and runtimes: the tokens that Python got. System
 * properties: capexport.library, litert and onnxruntime (paths of libraries; a runtime without one
 * is left out).
 */
public final class NativeGraphTest {
  private static final GoldenCaptions GOLDEN =
      new GoldenCaptions(name -> new FileInputStream(new File(Golden.FOLDER, name)));

  private static CaptionSession open(Object one) throws Exception {
    Runtime runtime = Runtime.named(Golden.text(one, "runtime"));
    Bundle bundle = Bundle.open(new File(Golden.FOLDER, Golden.text(one, "bundle")));
    String library = System.getProperty(runtime.label);
    return CaptionSession.open(bundle, runtime, NativeGraph.opener(runtime, library, 1));
  }

  private static boolean isThere(Object one) {
    return System.getProperty(Golden.text(one, "runtime")) != null;
  }

  @Test
  public void tokensAreThoseOfPython() throws Exception {
    int compared = 0;
    for (Object one : Golden.cases("captions.json")) {
      if (!isThere(one)) continue;
      try (CaptionSession session = open(one)) {
        assertNull(GoldenCaptions.difference(GOLDEN.caption(session, one), one));
        compared++;
      }
    }
    System.out.println("compared " + compared + " captions on " + System.getProperty("os.arch"));
    assertTrue(compared > 0);
  }

  @Test
  public void anotherCaptionIsADifference() throws Exception {
    List<Object> cases = GOLDEN.cases(null, Runtime.LITERT);
    Object first = cases.get(0);
    for (Object one : cases)
      if (!Golden.text(one, "text").equals(Golden.text(first, "text")))
        try (CaptionSession session = open(first)) {
          assertNotNull(GoldenCaptions.difference(GOLDEN.caption(session, first), one));
          return;
        }
    fail("all captions are alike");
  }

  @Test
  public void anOpenSessionCaptionsAgainAndAgain() throws Exception {
    List<?> cases = Golden.cases("captions.json");
    for (Object first : cases) {
      if (!isThere(first) || Golden.integer(first, "beam") != 1) continue;
      try (CaptionSession session = open(first)) {
        for (Object one : cases)
          if (Golden.text(one, "bundle").equals(Golden.text(first, "bundle"))
              && Golden.text(one, "runtime").equals(Golden.text(first, "runtime")))
            assertArrayEquals(Golden.integers(one, "tokens"), GOLDEN.caption(session, one).tokens);
      }
      return; // one session is enough: shapes change with every image and beam
    }
  }

  private static Object firstCase(Runtime runtime) throws IOException {
    for (Object one : Golden.cases("captions.json"))
      if (isThere(one) && Golden.text(one, "runtime").equals(runtime.label)) return one;
    return null;
  }

  @Test
  public void whatCannotBeOpenedSaysWhy() throws Exception {
    for (Runtime runtime : Runtime.values()) {
      Object one = firstCase(runtime);
      if (one == null) continue;
      File folder = new File(Golden.FOLDER, Golden.text(one, "bundle"));
      File graph = new File(folder, "encoder" + runtime.suffix);
      String library = System.getProperty(runtime.label);
      assertRefused(NativeGraph.opener(runtime, "libnowhere.so", 1), graph, "cannot be loaded");
      assertRefused(NativeGraph.opener(runtime, library, 1), new File(folder, "card.md"), "");
      assertRefused(NativeGraph.opener(runtime, library, 1), new File(folder, "absent"), "");
    }
  }

  private static void assertRefused(GraphOpener opener, File file, String reason) {
    try {
      opener.open(file);
      fail(file + " was opened");
    } catch (CaptionException expected) {
      assertTrue(!expected.what.isEmpty() && expected.what.contains(reason), expected.what);
    }
  }

  @Test
  public void wrongUseIsAnError() throws Exception {
    for (Runtime runtime : Runtime.values()) {
      Object one = firstCase(runtime);
      if (one == null) continue;
      File folder = new File(Golden.FOLDER, Golden.text(one, "bundle"));
      File file = new File(folder, "encoder" + runtime.suffix);
      Graph graph = NativeGraph.opener(runtime, System.getProperty(runtime.label), 1).open(file);
      assertFails(graph, "has not been set");
      String name = graph.inputNames().iterator().next();
      try {
        graph.setInput("no such input", new Tensor(DType.FLOAT32, 1));
        fail("an unknown name");
      } catch (CaptionException expected) {
        assertTrue(expected.hint.contains(name));
      }
      graph.close();
      graph.close();
      try {
        graph.run();
        fail("a closed graph ran");
      } catch (IllegalStateException expected) {
        assertTrue(expected.getMessage().contains("closed"));
      }
    }
  }

  private static void assertFails(Graph graph, String reason) {
    try {
      graph.run();
      fail("it ran");
    } catch (CaptionException expected) {
      assertTrue(expected.what.contains(reason), expected.what);
    }
  }
}
