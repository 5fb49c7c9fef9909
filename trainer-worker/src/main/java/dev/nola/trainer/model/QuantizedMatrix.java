package dev.nola.trainer.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import dev.nola.client.safetensors.Tensor;
import dev.nola.format.DType;
import dev.nola.trainer.djl.TorchMemory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.stream.IntStream;

/**
 * A matrix in 8 bits: each row as whole numbers from −127 to 127, and a scale, the largest absolute
 * value divided by 127.
 *
 * <p>No product is computed in 8 bits. A use of the matrix makes a copy in f32, which is closed
 * with the manager it is made in. A backward pass keeps such copies until it has passed them; with
 * gradient checkpointing, those of one block.
 *
 * @param codes rows×columns (i8)
 * @param scales rows×1 (f32)
 */
record QuantizedMatrix(NDArray codes, NDArray scales) {
  private static final int LARGEST = 127;

  /** Quantizes a matrix; its rows in parallel, and nothing but a row at a time in f32. */
  static QuantizedMatrix of(NDManager manager, DType type, Tensor matrix) {
    int rows = Math.toIntExact(matrix.shape().getFirst());
    int columns = Math.toIntExact(matrix.shape().getLast());
    try (NDManager host = Tensors.newHostManager()) {
      NDArray codes = Tensors.uninitialized(host, DataType.INT8, rows, columns);
      NDArray scales = Tensors.uninitialized(host, rows, 1);
      MemorySegment codesMemory = TorchMemory.of(codes);
      MemorySegment scalesMemory = TorchMemory.of(scales);
      long rowBytes = (long) columns * type.bytes();
      IntStream.range(0, rows)
          .parallel()
          .forEach(
              row -> {
                float[] values =
                    FloatElements.widened(type, matrix.data().asSlice(row * rowBytes, rowBytes));
                byte[] rounded = new byte[columns];
                scalesMemory.setAtIndex(ValueLayout.JAVA_FLOAT, row, quantize(values, rounded));
                MemorySegment.copy(
                    rounded, 0, codesMemory, ValueLayout.JAVA_BYTE, (long) row * columns, columns);
              });
      return new QuantizedMatrix(Tensors.moved(codes, manager), Tensors.moved(scales, manager));
    }
  }

  /** Rounds a row to codes, and returns their scale. */
  private static float quantize(float[] values, byte[] codes) {
    float largest = 0;
    for (float value : values) {
      largest = Math.max(largest, Math.abs(value));
    }
    float inverse = largest == 0 ? 0 : LARGEST / largest;
    for (int i = 0; i < values.length; i++) {
      codes[i] = (byte) Math.round(values[i] * inverse);
    }
    return largest / LARGEST;
  }

  Shape shape() {
    return codes.getShape();
  }

  /**
   * Returns a copy in f32.
   *
   * @param scope manager that owns the copy
   * @return rows×columns
   */
  NDArray dequantized(NDManager scope) {
    return dequantized(codes, scales, scope);
  }

  /**
   * Returns a copy of some rows in f32.
   *
   * @param ids numbers of the rows, of any shape (i64)
   * @return …×columns, owned by the manager of {@code ids}
   */
  NDArray rows(NDArray ids) {
    try (NDArray someCodes = Tensors.embedding(ids, codes);
        NDArray someScales = Tensors.embedding(ids, scales)) {
      return dequantized(someCodes, someScales, ids.getManager());
    }
  }

  private static NDArray dequantized(NDArray codes, NDArray scales, NDManager scope) {
    NDArray values = codes.toType(DataType.FLOAT32, true);
    values.attach(scope);
    return values.muli(scales);
  }
}
