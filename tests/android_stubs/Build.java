package android.os;

/** A stub: only the names that the app uses. */
public final class Build {
  public static final String MANUFACTURER = null;
  public static final String MODEL = null;
  public static final String HARDWARE = null;
  public static final String[] SUPPORTED_ABIS = null;

  public static final class VERSION {
    public static final int SDK_INT = Integer.parseInt("0"); // no constant for the compiler
  }

  public static final class VERSION_CODES {
    public static final int S = 31;
  }
}
