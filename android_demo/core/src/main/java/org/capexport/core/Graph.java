package org.capexport.core;

import java.nio.ByteBuffer;
import java.util.Set;

/** An open graph of a bundle; one thread at a time. Inputs and outputs are bound by name. */
public interface Graph extends AutoCloseable {
  Set<String> inputNames();

  Set<String> outputNames();

  /** Binds an input; every run reads what its data are by then, until another one is bound. */
  void setInput(String name, Tensor tensor) throws CaptionException;

  /** Computes all outputs; all inputs must be bound. */
  void run() throws CaptionException;

  /** An output in the runtime's own memory, gone with the next run and when the graph is closed. */
  Tensor output(String name) throws CaptionException;

  /** Copies an output of the last run into all of a direct buffer of its size. */
  void readOutput(String name, ByteBuffer into) throws CaptionException;

  @Override
  void close();
}
