package dev.nola.trainer.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDManager;
import dev.nola.client.safetensors.Tensor;
import dev.nola.format.DType;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class QuantizedMatrixTest {
  private static final int ROWS = 5;
  private static final int COLUMNS = 37;

  /** A row of zeros, and others of very different sizes. */
  private static float[] matrix(DType type) {
    Random random = new Random(7);
    float[] values = new float[ROWS * COLUMNS];
    for (int i = COLUMNS; i < values.length; i++) {
      values[i] = (float) (random.nextGaussian() * Math.pow(10, (double) (i / COLUMNS) - 3));
    }
    return FloatElements.widened(type, FloatElements.narrowed(type, values));
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void dequantizedElement_isWithinHalfAStepOfItsRow(DType type) {
    float[] values = matrix(type);
    Tensor tensor =
        new Tensor(
            "w",
            type.name(),
            List.of((long) ROWS, (long) COLUMNS),
            FloatElements.narrowed(type, values));
    try (NDManager manager = Tensors.newManager();
        NDManager scope = Tensors.newManager()) {
      QuantizedMatrix matrix = QuantizedMatrix.of(manager, type, tensor);
      float[] dequantized = matrix.dequantized(scope).toFloatArray();
      for (int row = 0; row < ROWS; row++) {
        float[] exact = Arrays.copyOfRange(values, row * COLUMNS, (row + 1) * COLUMNS);
        double largest = 0;
        for (float value : exact) {
          largest = Math.max(largest, Math.abs(value));
        }
        for (int i = 0; i < COLUMNS; i++) {
          assertThat((double) dequantized[row * COLUMNS + i])
              .as("row %d, column %d", row, i)
              .isCloseTo(exact[i], within(largest / 127 * 0.50001));
        }
      }
      long[] ids = {3, 0, 3};
      float[] rows = matrix.rows(Tensors.create(scope, ids, 1, ids.length)).toFloatArray();
      for (int i = 0; i < ids.length; i++) {
        int start = (int) ids[i] * COLUMNS;
        assertThat(Arrays.copyOfRange(rows, i * COLUMNS, (i + 1) * COLUMNS))
            .isEqualTo(Arrays.copyOfRange(dequantized, start, start + COLUMNS));
      }
    }
  }
}
