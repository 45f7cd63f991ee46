package org.capexport.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/**
 * Closing a graph gives back what opening it took, by the C library's own count: resident memory
 * swings by kilobytes an opening. System properties: those of NativeGraphTest, and malloc.count (a
 * library with the native method below). Run it interpreted: Java's compiler allocates beside.
 */
public final class NativeGraphLeakTest {
  private static final int OPENINGS = 10;
  /** A leak grows in each of them; caches, and what runs beside, in some. */
  private static final int BATCHES = 31;

  /** Bytes that the C library has handed out and not got back. */
  private static native long bytesInUse();

  @Test
  public void closingGivesBackEveryByte() throws Exception {
    System.load(System.getProperty("malloc.count"));
    for (Runtime runtime : Runtime.values()) {
      Object one = firstCase(runtime);
      long[] grown = new long[BATCHES];
      for (int batch = 0; batch < BATCHES; batch++) {
        long before = bytesInUse();
        openAndClose(runtime, one);
        grown[batch] = bytesInUse() - before;
      }
      Arrays.sort(grown);
      long quartile = grown[BATCHES / 4];
      System.out.println(runtime.label + " keeps " + quartile + " bytes");
      assertEquals(0, quartile, runtime.label);
    }
  }

  @Test
  public void anOpenGraphIsCounted() throws Exception {
    System.load(System.getProperty("malloc.count"));
    for (Runtime runtime : Runtime.values()) {
      Object one = firstCase(runtime);
      openAndClose(runtime, one);
      long before = bytesInUse();
      Graph graph = open(runtime, one);
      long open = bytesInUse() - before;
      graph.close();
      assertTrue(open > 1000, runtime + " took " + open);
    }
  }

  private static Object firstCase(Runtime runtime) throws IOException {
    for (Object one : Golden.cases("captions.json"))
      if (Golden.text(one, "runtime").equals(runtime.label)) return one;
    throw new AssertionError("no case of " + runtime);
  }

  private static void openAndClose(Runtime runtime, Object one) throws Exception {
    for (int i = 0; i < OPENINGS; i++) open(runtime, one).close();
  }

  private static Graph open(Runtime runtime, Object one) throws Exception {
    assertEquals(runtime.label, Golden.text(one, "runtime"));
    File folder = new File(Golden.FOLDER, Golden.text(one, "bundle"));
    String library = System.getProperty(runtime.label);
    File file = new File(folder, "decoder_step" + runtime.suffix);
    return NativeGraph.opener(runtime, library, 1).open(file);
  }
}
