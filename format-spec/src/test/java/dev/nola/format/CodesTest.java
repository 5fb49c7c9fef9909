package dev.nola.format;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.BitSet;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class CodesTest {
  static IntStream widths() {
    return IntStream.rangeClosed(1, 16);
  }

  @ParameterizedTest
  @MethodSource("widths")
  void packing_putsEachBitWhereTheSpecSays(int bits) {
    Random random = new Random(bits);
    for (int count = 1; count <= 33; count++) {
      int[] drawn = random.ints(count, 0, 1 << bits).toArray();
      BitSet expected = new BitSet();
      for (int n = 0; n < count * bits; n++) {
        expected.set(n, (drawn[n / bits] >> n % bits & 1) == 1);
      }

      Codes codes = Codes.of(bits, drawn);

      assertThat(codes.toPacked()).hasSize((count * bits + 7) / 8);
      assertThat(BitSet.valueOf(codes.toPacked())).isEqualTo(expected);
      assertThat(codes.codes()).isEqualTo(drawn);
      assertThat(IntStream.range(0, count).map(codes::code)).containsExactly(box(drawn));
      assertThat(codes.values())
          .isEqualTo(IntStream.of(drawn).map(u -> 2 * u - ((1 << bits) - 1)).toArray());
      assertThat(Codes.ofPacked(bits, count, codes.toPacked())).isEqualTo(codes);
    }
  }

  private static Integer[] box(int[] values) {
    return IntStream.of(values).boxed().toArray(Integer[]::new);
  }
}
