package org.capexport.core;

/** Something that a user or an app developer can mend: what went wrong, where, and how to mend it. */
public final class CaptionException extends Exception {
  private static final long serialVersionUID = 1;

  public final String what;
  public final String where;
  public final String hint;

  public CaptionException(String what, String where, String hint) {
    super(what + "\n  where: " + where + "\n  hint: " + hint);
    this.what = what;
    this.where = where;
    this.hint = hint;
  }

  public CaptionException(String what, String where, String hint, Throwable cause) {
    this(what, where, hint);
    initCause(cause);
  }
}
