package dev.nola.client.peft;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.format.DType;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class FloatRoundingTest {
  @ParameterizedTest
  @CsvSource({
    "F32, 0x1.fffffep127, 0x1.fffffep127",
    "F16, 0x1.002p0, 0x1.0p0", // half way, to even
    "F16, 0x1.006p0, 0x1.008p0",
    "F16, 0x1.00202p0, 0x1.004p0",
    "F16, 65519, 65504",
    "F16, 65520, Infinity",
    "F16, 0x1.8p-24, 0x1.0p-23",
    "F16, 0x1.0p-25, 0",
    "BF16, 0x1.01p0, 0x1.0p0", // half way, to even
    "BF16, 0x1.03p0, 0x1.04p0",
    "BF16, 0x1.01002p0, 0x1.02p0",
    "BF16, -0x1.03p0, -0x1.04p0",
    "BF16, 0x1.fffffep127, Infinity",
  })
  void valuesAreRoundedToNearestEven(DType dtype, String value, String rounded) {
    assertThat(FloatRounding.round(Float.parseFloat(value), dtype))
        .isEqualTo(Float.parseFloat(rounded));
  }

  @ParameterizedTest
  @EnumSource
  void decodedElementIsTheOneEncoded(DType dtype) {
    float[] values = {-1.5f, 0x1.0p-14f, 240};
    byte[] bytes = new byte[values.length * dtype.bytes()];
    FloatRounding.encode(values, dtype, MemorySegment.ofArray(bytes));
    for (int i = 0; i < values.length; i++) {
      assertThat(FloatRounding.decode(MemorySegment.ofArray(bytes), dtype, i)).isEqualTo(values[i]);
    }
  }

  /**
   * Cutting the lower half off would turn the first into an infinity, rounding the second into 0.
   */
  @ParameterizedTest
  @ValueSource(ints = {0x7F80_0001, 0xFFFF_FFFF})
  void notANumberStaysOne(int bits) {
    for (DType dtype : DType.values()) {
      assertThat(FloatRounding.round(Float.intBitsToFloat(bits), dtype)).isNaN();
    }
  }
}
