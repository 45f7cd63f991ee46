package org.capexport.core;

import java.nio.ByteBuffer;
import java.util.Set;

/** An open graph of a bundle; one thread at a time. Inputs and outputs are bound by name. */
public interface Graph extends AutoCloseable {
  Set<String> inputNames();

  Set<String> outputNames();

  /** Binds an input; its data are read by every run until another one is bound. */
  void setInput(String name, Tensor tensor) throws CaptionException;

  /** Computes all outputs; all inputs must be bound. */
  void run() throws CaptionException;

  /** Shape of an output of the last run. */
  int[] outputShape(String name) throws CaptionException;

  /** Copies an output of the last run into all of a direct buffer of its size. */
  void readOutput(String name, ByteBuffer into) throws CaptionException;

  @Override
  void close();
}
