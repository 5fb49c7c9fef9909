package dev.nola.client.dequantize;

import dev.nola.client.peft.FloatRounding;
import dev.nola.client.safetensors.Tensor;
import dev.nola.format.DType;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * Codes of LLM.int8: each row has been divided by its largest magnitude and multiplied by 127.
 *
 * @param weight codes of type I8, out×in
 * @param maxima of type F32, the largest magnitude of each row
 */
record Int8Values(Tensor weight, Tensor maxima) implements Values {
  /** 1/127 as bitsandbytes rounds it. */
  private static final float STEP = 7.874015718698502e-3f;

  /**
   * Relates codes to their scales.
   *
   * @throws IllegalArgumentException if they do not fit, with a predicate of it
   */
  Int8Values {
    boolean fits =
        weight.type().equals("I8")
            && weight.shape().size() == 2
            && maxima.type().equals("F32")
            && maxima.shape().equals(List.of(weight.shape().getFirst()));
    if (!fits) {
      throw new IllegalArgumentException(
          "is %s%s with maxima %s%s; must be an I8 matrix with an F32 for each row"
              .formatted(weight.type(), weight.shape(), maxima.type(), maxima.shape()));
    }
  }

  @Override
  public void read(long first, int rows, float[] target) {
    long columns = weight.shape().getLast();
    int place = 0;
    for (long row = first; row < first + rows; row++) {
      float maximum = FloatRounding.decode(maxima.data(), DType.F32, row);
      for (long column = 0; column < columns; column++) {
        target[place++] =
            weight.data().get(ValueLayout.JAVA_BYTE, row * columns + column) * maximum * STEP;
      }
    }
  }
}
