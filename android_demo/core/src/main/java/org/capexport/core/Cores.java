package org.capexport.core;

import java.io.BufferedReader;
import java.io.File;
import java.io.FileReader;
import java.io.IOException;

/** How many threads suit the processor: as many as it has fast cores. */
public final class Cores {
  private static final File SYSTEM = new File("/sys/devices/system/cpu");
  private static final int MOST_THREADS = 4; // more cores wait for memory, not for work

  private Cores() {}

  /** Cores faster than the slowest kind, or all where all are alike; at most 4. */
  public static int preferredThreads() {
    return preferredThreads(SYSTEM, java.lang.Runtime.getRuntime().availableProcessors());
  }

  static int preferredThreads(File system, int available) {
    int slowest = Integer.MAX_VALUE;
    int known = 0;
    int[] speeds = new int[available];
    for (int i = 0; i < available; i++) {
      speeds[i] = read(new File(system, "cpu" + i + "/cpufreq/cpuinfo_max_freq"));
      if (speeds[i] <= 0) continue;
      known++;
      slowest = Math.min(slowest, speeds[i]);
    }
    int fast = 0;
    for (int speed : speeds) if (speed > slowest) fast++;
    int wanted = known == available && fast > 0 ? fast : available;
    return Math.max(1, Math.min(wanted, MOST_THREADS));
  }

  /** A number in a file of the kernel; 0 where it does not tell. */
  private static int read(File file) {
    try (BufferedReader in = new BufferedReader(new FileReader(file))) {
      return Integer.parseInt(in.readLine().trim());
    } catch (IOException error) {
      return 0;
    } catch (NumberFormatException error) {
      return 0;
    }
  }
}
