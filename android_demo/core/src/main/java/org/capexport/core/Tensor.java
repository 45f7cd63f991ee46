package org.capexport.core;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.Arrays;

/** An array in memory that native code reads and writes in place, row by row without gaps. */
public final class Tensor {
  public final DType type;
  /** Bytes in the machine's order; its position stays 0. */
  public final ByteBuffer data;

  final int[] shape;

  /** Zeros. */
  public Tensor(DType type, int... shape) {
    this(ByteBuffer.allocateDirect(bytes(type, shape)), type, shape);
  }

  /** What lies in a direct buffer, none of which is copied. */
  Tensor(ByteBuffer data, DType type, int... shape) {
    this.type = type;
    this.shape = shape.clone();
    if (data.capacity() != bytes(type, shape))
      throw new IllegalArgumentException(data.capacity() + " bytes are not " + this);
    this.data = data.order(ByteOrder.nativeOrder());
  }

  private static int bytes(DType type, int[] shape) {
    long bytes = type.bytes;
    for (int length : shape) bytes *= length;
    if (bytes > Integer.MAX_VALUE) throw new IllegalArgumentException("more than 2 GB");
    return (int) bytes;
  }

  /** A float32 tensor of these values. */
  public static Tensor of(float[] values, int... shape) {
    Tensor tensor = new Tensor(DType.FLOAT32, shape);
    if (values.length * DType.FLOAT32.bytes != tensor.bytes())
      throw new IllegalArgumentException(values.length + " values do not fill " + tensor);
    tensor.floats().put(values);
    return tensor;
  }

  public int[] shape() {
    return shape.clone();
  }

  int bytes() {
    return data.capacity();
  }

  /** Bytes of one row along the first axis. */
  int rowBytes() {
    return bytes() / shape[0];
  }

  FloatBuffer floats() {
    return view().asFloatBuffer();
  }

  IntBuffer ints() {
    return view().asIntBuffer();
  }

  /** The same bytes with a position and a limit of its own. */
  ByteBuffer view() {
    return data.duplicate().order(ByteOrder.nativeOrder());
  }

  @Override
  public String toString() {
    return type.label + " " + Arrays.toString(shape);
  }
}
