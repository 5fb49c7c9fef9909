package dev.nola.vectors;

import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients.Direct;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.DType;
import dev.nola.format.DenseTensor;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.format.Metadata;
import dev.nola.format.Slice;
import dev.nola.generator.Generator;
import dev.nola.kernel.Kernels;
import dev.nola.reconstruct.Reconstructor;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** The valid files that {@link InvalidFiles} damages. */
final class SmallFiles {
  private SmallFiles() {}

  /** Two layers in one group. */
  static RawFile plain() {
    Adapter.Builder adapter =
        Adapter.builder()
            .generator(Generator.SRHT)
            .seed(1)
            .metadata(Metadata.of("x".repeat(300), "", ""));
    for (int i = 0; i < 2; i++) {
      adapter.layer(
          Layer.ofMatrix(
              "layers." + i + ".w",
              8,
              9,
              i,
              0x1p-9f,
              new LowRank(2, Codes.of(4, 1, 2, 3, 4), Codes.of(4, 5, 6, 7, 8))));
    }
    return raw(adapter);
  }

  /** Two layers in one group, of any name. */
  static RawFile indexed(String prefix, int index, String suffix) {
    Adapter.Builder adapter = Adapter.builder().generator(Generator.SRHT).seed(1);
    for (int i = 0; i < 2; i++) {
      adapter.layer(
          Layer.ofMatrix(
              prefix + (index + i) + suffix,
              8,
              9,
              i,
              1,
              new LowRank(2, Codes.of(4, 1), Codes.of(4, 2))));
    }
    return raw(adapter);
  }

  static RawFile shaped() {
    RawFile file =
        raw(
            Adapter.builder()
                .generator(Generator.SRHT)
                .layer(
                    new Layer(
                        "w",
                        List.of(2, 3, 4),
                        null,
                        4,
                        6,
                        0,
                        1,
                        new LowRank(2, Codes.of(4, 1), Codes.of(4, 2)))));
    return file;
  }

  static RawFile dimensions() {
    RawFile file =
        raw(
            Adapter.builder()
                .generator(Generator.SRHT)
                .layer(
                    new Layer(
                        "w",
                        List.of(1, 1, 1, 1, 1, 1, 1, 2),
                        null,
                        1,
                        2,
                        0,
                        1,
                        new LowRank(1, Codes.of(4, 1), Codes.of(4, 2)))));
    return file;
  }

  static RawFile sliced() {
    Adapter.Builder adapter = Adapter.builder().generator(Generator.SRHT).seed(1);
    for (int part = 0; part < 2; part++) {
      adapter.layer(
          new Layer(
              "w",
              List.of(4, 16),
              new Slice(1, 2 + 4 * part, 4),
              4,
              4,
              part,
              1,
              new LowRank(2, Codes.of(4, 1), Codes.of(4, 2))));
    }
    return raw(adapter);
  }

  static RawFile withDense() {
    Adapter.Builder adapter = adapter(Generator.SRHT);
    for (String name : List.of("a", "b")) {
      adapter.dense(
          new DenseTensor(name, DType.BF16, List.of(3), MemorySegment.ofArray(new byte[6])));
    }
    return raw(adapter);
  }

  /**
   * 256 layers; with factors of 2³⁰ elements each they are legal one by one, too large together.
   */
  static RawFile manyLayers() {
    Adapter.Builder adapter = Adapter.builder().generator(Generator.RADEMACHER).seed(1);
    for (int i = 0; i < 256; i++) {
      adapter.layer(
          Layer.ofMatrix("w." + i, 8, 8, i, 0, new LowRank(1, Codes.of(4, 1), Codes.of(4, 1))));
    }
    RawFile file = raw(adapter);
    return file;
  }

  static Adapter.Builder adapter(Generator generator) {
    return adapter(generator, 0);
  }

  static Adapter.Builder adapter(Generator generator, int stream) {
    return Adapter.builder()
        .generator(generator)
        .seed(1)
        .layer(
            Layer.ofMatrix(
                "w", 8, 8, stream, 1, new LowRank(2, Codes.of(4, 1, 2), Codes.of(4, 3, 4))));
  }

  static Adapter.Builder adapter(Generator generator, Codes codes) {
    return Adapter.builder()
        .generator(generator)
        .seed(1)
        .layer(Layer.ofMatrix("w", 8, 8, 0, 1, new Direct(codes)));
  }

  static RawFile raw(Adapter.Builder adapter) {
    try {
      AdapterFile file =
          Reconstructor.standard().withKernel(Kernels.scalar()).seal(adapter.build());
      return new RawFile(file.toBytes());
    } catch (LimitExceededException e) {
      throw new AssertionError("the adapters here are small", e);
    }
  }
}
