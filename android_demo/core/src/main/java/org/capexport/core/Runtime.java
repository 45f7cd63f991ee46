package org.capexport.core;

/** The runtimes whose graphs a bundle can hold; the native library speaks to both by C. */
public enum Runtime {
  LITERT("litert", ".tflite", "libLiteRt.so"),
  ONNXRUNTIME("onnxruntime", ".onnx", "libonnxruntime.so");

  /** Its name in the manifest. */
  public final String label;
  /** Of its shared library inside an app. */
  public final String library;

  final String suffix;

  Runtime(String label, String suffix, String library) {
    this.label = label;
    this.suffix = suffix;
    this.library = library;
  }

  /** The runtime of that name in a manifest; null for none. */
  public static Runtime named(String label) {
    for (Runtime runtime : values()) if (runtime.label.equals(label)) return runtime;
    return null;
  }
}
