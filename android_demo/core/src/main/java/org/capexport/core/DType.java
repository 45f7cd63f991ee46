package org.capexport.core;

/** Types of tensor elements; the codes are those of the native library. */
public enum DType {
  FLOAT32("float32", 1, 4),
  INT32("int32", 2, 4),
  UINT8("uint8", 3, 1);

  public final String label;
  public final int code;
  public final int bytes;

  DType(String label, int code, int bytes) {
    this.label = label;
    this.code = code;
    this.bytes = bytes;
  }

  static DType coded(int code) {
    return values()[code - 1];
  }

  static DType read(Fields fields) throws CaptionException {
    String label = fields.text("dtype");
    for (DType type : values()) if (type.label.equals(label)) return type;
    throw fields.fail("dtype is " + label + ", not float32, int32 or uint8");
  }
}
