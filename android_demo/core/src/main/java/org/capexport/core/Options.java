package org.capexport.core;

/** How to caption. Immutable. */
public final class Options {
  /** As the bundle says. */
  public static final Options DEFAULT = new Options(0, null);

  final int beam;
  final Cancellation cancellation;

  private Options(int beam, Cancellation cancellation) {
    this.beam = beam;
    this.cancellation = cancellation;
  }

  /** With `beam` hypotheses; 1 is greedy search, 0 what the bundle says. */
  public Options withBeam(int newBeam) {
    return new Options(newBeam, cancellation);
  }

  /** To be ended by another thread. */
  public Options withCancellation(Cancellation newCancellation) {
    return new Options(beam, newCancellation);
  }
}
