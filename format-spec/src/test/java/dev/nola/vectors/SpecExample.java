package dev.nola.vectors;

import dev.nola.format.Adapter;
import dev.nola.format.BaseModel;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.Layer;
import dev.nola.generator.Generator;

/** The adapter that SPEC.md section 14 shows in hex. */
final class SpecExample {
  private SpecExample() {}

  static Adapter adapter() {
    Adapter.Builder adapter =
        Adapter.builder()
            .generator(Generator.UNIFORM8)
            .seed(0x0123456789abcdefL)
            .base(new BaseModel("tiny", "", null));
    for (int i = 0; i < 2; i++) {
      adapter.layer(
          Layer.ofMatrix(
              "h." + i + ".w",
              2,
              3,
              i,
              0x1p-9f,
              new LowRank(1, Codes.of(4, 15, 0, 7), Codes.of(4, 1 + i, 9))));
    }
    return adapter.build();
  }
}
