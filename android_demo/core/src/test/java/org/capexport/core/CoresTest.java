package org.capexport.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.FileWriter;
import java.io.IOException;
import java.io.Writer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

public final class CoresTest {
  @TempDir File system;

  private int threads(int... speeds) throws IOException {
    for (int i = 0; i < speeds.length; i++) {
      File folder = new File(system, "cpu" + i + "/cpufreq");
      assertTrue(folder.isDirectory() || folder.mkdirs());
      try (Writer out = new FileWriter(new File(folder, "cpuinfo_max_freq"))) {
        out.write(speeds[i] + "\n");
      }
    }
    return Cores.preferredThreads(system, speeds.length);
  }

  @Test
  public void fastCoresAreCounted() throws IOException {
    assertEquals(2, threads(1800000, 1800000, 1800000, 1800000, 2400000, 2400000));
    assertEquals(4, threads(1800000, 2400000, 2400000, 2400000, 2400000, 2900000));
    assertEquals(3, threads(2000000, 2000000, 2000000));
    assertEquals(1, threads(1500000));
  }

  @Test
  public void whatTheKernelDoesNotTellIsNoSpeed() throws IOException {
    assertEquals(2, Cores.preferredThreads(system, 2));
    assertEquals(4, Cores.preferredThreads(system, 8));
    assertEquals(2, threads(0, 2400000));
  }
}
