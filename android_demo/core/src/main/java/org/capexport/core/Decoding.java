package org.capexport.core;

/** Token ids and limits of greedy and beam search, as the manifest has them. */
public final class Decoding {
  private static final double MOST_PENALTY = 10;
  private static final int MOST_BEAM = 1 << 20;

  /** Token that the first step reads. */
  public final int bos;
  /** Token that ends a caption. */
  public final int eos;
  public final int pad;
  /** The unknown word; -1 where there is none. */
  public final int unk;
  /** Most decoder steps, the end token included. */
  public final int maxLength;
  /** Hypotheses by default. */
  public final int beam;
  /** Whether beam search forbids the unknown word; greedy search never does. */
  public final boolean suppressUnk;
  /** Whether hypotheses that ended are replaced at once (transformers' generate). */
  public final boolean refill;
  /** Captions are ranked by log-probability / length ** lengthPenalty. */
  public final double lengthPenalty;
  /** Whether the search ends as soon as `beam` captions have ended. */
  public final boolean earlyStopping;

  private Decoding(Fields fields, int vocabularySize) throws CaptionException {
    int last = vocabularySize - 1;
    bos = fields.integer("bos", 0, last);
    eos = fields.integer("eos", 0, last);
    pad = fields.integer("pad", 0, last);
    Integer unknown = fields.optionalInteger("unk", 0, last);
    unk = unknown == null ? -1 : unknown;
    maxLength = fields.integer("max_length", 1, 1 << 20);
    beam = fields.integer("beam", 1, MOST_BEAM);
    suppressUnk = fields.flag("suppress_unk");
    refill = fields.flag("refill");
    lengthPenalty = fields.number("length_penalty", MOST_PENALTY);
    earlyStopping = fields.flag("early_stopping");
  }

  static Decoding read(Fields fields, int vocabularySize) throws CaptionException {
    Decoding decoding = new Decoding(fields, vocabularySize);
    if (!decoding.refill && (decoding.lengthPenalty != 0 || decoding.earlyStopping))
      throw fields.fail("length_penalty and early_stopping need refill");
    return decoding;
  }
}
