package dev.nola.vectors;

import dev.nola.format.Adapter;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients.Direct;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.Layer;
import dev.nola.format.Slice;
import dev.nola.generator.Generator;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** The content of the valid conformance vectors, by file name. */
final class ValidFiles {
  /** One file to be. */
  record Entry(String about, Adapter adapter, int minor, boolean isNew) {
    /** Returns a file with this minor version instead of 0. */
    byte[] withMinor(byte[] file) {
      return minor == 0 ? file : new RawFile(file).set(6, minor).checksummed();
    }
  }

  static final int[] WIDTHS = {1, 2, 3, 4, 8, 16};
  static final int[][] SHAPES = {{3, 5}, {127, 129}, {16, 16}, {1, 33}, {40, 1}, {12, 20}};

  private final Map<String, Entry> files = new LinkedHashMap<>();
  private final Random random = new Random(20_260_101);

  private ValidFiles() {}

  static Map<String, Entry> all() {
    ValidFiles valid = new ValidFiles();
    valid.everyGeneratorWidthAndForm();
    valid.shapesAndViews();
    valid.streams();
    valid.extremes();
    new ContentFiles(valid).add();
    EdgeFiles.addTo(valid.files);
    return valid.files;
  }

  private void everyGeneratorWidthAndForm() {
    for (Generator generator : Generator.PSEUDORANDOM) {
      for (int w = 0; w < WIDTHS.length; w++) {
        int bits = WIDTHS[w];
        int[] shape = SHAPES[(w + generator.id()) % SHAPES.length];
        int rank = 1 + (w + generator.id()) % 4;
        int k = maximum(generator, rank * shape[0], 37);
        int l = maximum(generator, rank * shape[1], 19);
        add(
            "%s-%d-bit".formatted(generator.label(), bits),
            "low-rank form, %d bits, %d×%d, r=%d".formatted(bits, shape[0], shape[1], rank),
            Adapter.builder()
                .generator(generator)
                .seed(random.nextLong())
                .layer(
                    Layer.ofMatrix(
                        "layers.0.weight",
                        shape[0],
                        shape[1],
                        0,
                        scale(),
                        new LowRank(rank, codes(bits, k), codes(WIDTHS[5 - w], l)))));
        int direct = maximum(generator, shape[0] * shape[1], 23);
        add(
            "%s-%d-bit-direct".formatted(generator.label(), bits),
            "direct form, %d bits, %d×%d".formatted(bits, shape[0], shape[1]),
            Adapter.builder()
                .generator(generator)
                .seed(random.nextLong())
                .layer(
                    Layer.ofMatrix(
                        "layers.0.weight",
                        shape[0],
                        shape[1],
                        0,
                        scale(),
                        new Direct(codes(bits, direct)))));
      }
    }
  }

  private void shapesAndViews() {
    for (Generator generator : Generator.PSEUDORANDOM) {
      add(
          "one-by-one-" + generator.label(),
          "the smallest factors there are, with one coefficient each",
          Adapter.builder()
              .generator(generator)
              .seed(7)
              .layer(
                  Layer.ofMatrix("w", 1, 1, 0, scale(), new LowRank(1, codes(4, 1), codes(4, 1)))));
    }
    Adapter.Builder fused = Adapter.builder().generator(Generator.SRHT).seed(11);
    for (int i = 0; i < 3; i++) {
      String name = "transformer.h." + i + ".attn.c_attn.weight";
      for (int part : new int[] {2, 0}) {
        fused.layer(
            new Layer(
                name,
                List.of(16, 48),
                new Slice(1, 16 * part, 16),
                16,
                16,
                2 * i + part,
                scale(),
                new LowRank(4, codes(4, 20), codes(4, 20))));
      }
    }
    add("slices-of-fused-weights", "query and value columns of GPT-2's c_attn", fused);
    add(
        "slice-of-three-dimensions",
        "the middle of a 3-dimensional tensor, viewed as 6×10",
        Adapter.builder()
            .generator(Generator.UNIFORM8)
            .seed(12)
            .layer(
                new Layer(
                    "experts.weight",
                    List.of(4, 7, 5),
                    new Slice(1, 2, 3),
                    6,
                    10,
                    0,
                    scale(),
                    new LowRank(2, codes(3, 9), codes(5, 8)))));
    add(
        "convolution",
        "a 4-dimensional tensor viewed as the nearest square, and the same in direct form",
        Adapter.builder()
            .generator(Generator.RADEMACHER)
            .seed(13)
            .layer(
                new Layer(
                    "layer1.0.conv1.weight",
                    List.of(8, 4, 3, 3),
                    null,
                    16,
                    18,
                    0,
                    scale(),
                    new LowRank(3, codes(4, 30), codes(4, 31))))
            .layer(
                new Layer(
                    "layer1.0.conv2.weight",
                    List.of(8, 4, 3, 3),
                    null,
                    16,
                    18,
                    1,
                    scale(),
                    new Direct(codes(6, 40)))));
    add(
        "lengths-around-powers-of-two",
        "srht factors of 2^p − 1, 2^p and 2^p + 1 elements, with as many coefficients as columns",
        Adapter.builder()
            .generator(Generator.SRHT)
            .seed(14)
            .layer(
                Layer.ofMatrix(
                    "a.0", 63, 64, 0, scale(), new LowRank(1, codes(4, 32), codes(4, 64))))
            .layer(
                Layer.ofMatrix(
                    "a.1", 65, 127, 1, scale(), new LowRank(1, codes(4, 64), codes(4, 64))))
            .layer(
                Layer.ofMatrix(
                    "a.2", 128, 129, 2, scale(), new LowRank(1, codes(4, 128), codes(4, 128)))));
  }

  private void streams() {
    for (Generator generator : Generator.PSEUDORANDOM) {
      Adapter.Builder shared = Adapter.builder().generator(generator).seed(21);
      for (int i = 0; i < 4; i++) {
        shared.layer(
            Layer.ofMatrix(
                "layers." + i + ".w", 12, 9, 0, scale(), new LowRank(2, codes(4, 8), codes(4, 8))));
      }
      shared.layer(
          Layer.ofMatrix("other.w", 20, 30, 0, scale(), new LowRank(2, codes(4, 8), codes(4, 8))));
      add("shared-streams-" + generator.label(), "all layers on stream 0", shared);
    }
    Adapter.Builder odd = Adapter.builder().generator(Generator.UNIFORM8).seed(22);
    int[] streams = {-1, 5, 11, 17, 3, 3, 3, 1 << 31};
    for (int i = 0; i < streams.length; i++) {
      odd.layer(
          Layer.ofMatrix(
              "layers." + (i < 6 ? i : i + 3) + ".w",
              6,
              7,
              streams[i],
              scale(),
              new LowRank(2, codes(4, 5), codes(4, 5))));
    }
    add("streams-without-a-rule", "groups that break at streams and at a gap of the index", odd);
    Adapter.Builder interleaved = Adapter.builder().generator(Generator.SRHT).seed(23);
    for (int i = 8; i < 12; i++) {
      for (int j = 0; j < 3; j++) {
        interleaved.layer(
            Layer.ofMatrix(
                "model.layers." + i + "." + "kqv".charAt(j) + "_proj.weight",
                10,
                14,
                3 * (i - 8) + j,
                scale(),
                new LowRank(3, codes(2, 12), codes(2, 12))));
      }
    }
    add(
        "streams-in-training-order",
        "streams count through the layers of a block, file order goes block by block, indices from 8 to 11",
        interleaved);
    Adapter.Builder broken = Adapter.builder().generator(Generator.RADEMACHER).seed(24);
    for (int i = 0; i < 6; i++) {
      int rank = i == 3 ? 4 : 2;
      int bits = i == 5 ? 5 : 4;
      broken.layer(
          Layer.ofMatrix(
              "h." + i,
              8,
              8,
              i,
              scale(),
              i == 1 ? new Direct(codes(4, 6)) : new LowRank(rank, codes(4, 6), codes(bits, 6))));
    }
    add(
        "groups-that-break",
        "layers of one name pattern that differ in form, rank or width",
        broken);
  }

  private void extremes() {
    add(
        "many-coefficients",
        "k = 5,000 and l = 4,999",
        Adapter.builder()
            .generator(Generator.UNIFORM8)
            .seed(31)
            .layer(
                Layer.ofMatrix(
                    "w", 37, 21, 0, scale(), new LowRank(3, codes(4, 5000), codes(7, 4999)))));
    add(
        "large-sums",
        "uniform24 with 8,192 coefficients of 16 bits, all at the highest level: sums beyond 2^40, close to the bound",
        Adapter.builder()
            .generator(Generator.UNIFORM24)
            .seed(32)
            .layer(
                Layer.ofMatrix(
                    "w", 5, 6, 0, 0x1p-60f, new LowRank(1, highest(16, 8192), highest(16, 8192)))));
    add(
        "double-rounding",
        "element 0 of A: rounding once to f32 would give other bits than rounding to f64 and then to f32",
        doubleRounding());
    add(
        "scale-zero",
        "a scale of 0: A is +0 everywhere, so is ΔW",
        Adapter.builder()
            .generator(Generator.RADEMACHER)
            .seed(33)
            .layer(Layer.ofMatrix("w", 4, 4, 0, 0, new LowRank(2, codes(4, 9), codes(4, 9)))));
    add(
        "scale-smallest-and-largest",
        "scales of 2^-126 and 2^74",
        Adapter.builder()
            .generator(Generator.UNIFORM24)
            .seed(34)
            .layer(Layer.ofMatrix("w.0", 4, 5, 0, Layer.MIN_SCALE, new Direct(codes(16, 9))))
            .layer(Layer.ofMatrix("w.1", 4, 5, 1, Layer.MAX_SCALE, new Direct(codes(16, 9)))));
    add(
        "seed-zero",
        "a seed of 0 is not stored",
        Adapter.builder()
            .generator(Generator.SRHT)
            .seed(0)
            .layer(
                Layer.ofMatrix("w", 6, 7, 0, scale(), new LowRank(2, codes(4, 8), codes(4, 8)))));
    add(
        "seed-all-ones",
        "the highest seed and the highest stream",
        Adapter.builder()
            .generator(Generator.SRHT)
            .seed(-1)
            .layer(
                Layer.ofMatrix("w", 6, 7, -1, scale(), new LowRank(2, codes(4, 8), codes(4, 8)))));
  }

  /** Found by search over seeds and scales: the first for which element 0 shows both roundings. */
  private static Adapter.Builder doubleRounding() {
    int[] codes = new int[64];
    for (int i = 0; i < codes.length; i++) {
      codes[i] = (40_503 * i + 9_973) & 0xFFFF;
    }
    return DoubleRounding.search(
        seed ->
            Adapter.builder()
                .generator(Generator.UNIFORM24)
                .seed(seed)
                .layer(Layer.ofMatrix("w", 2, 4, 0, 1, new Direct(Codes.of(16, codes)))));
  }

  void add(String name, String about, Adapter.Builder adapter) {
    files.put(name, new Entry(about, adapter.build(), 0, false));
  }

  private static int maximum(Generator generator, int length, int size) {
    return (int) Math.min(size, generator.maxCoefficients(length, Generator.MAX_BITS));
  }

  void nextBytes(byte[] data) {
    random.nextBytes(data);
  }

  float scale() {
    return (float) Math.scalb(1 + random.nextDouble(), -10 - random.nextInt(8));
  }

  Codes codes(int bits, int count) {
    return Codes.of(bits, random.ints(count, 0, 1 << bits).toArray());
  }

  private static Codes highest(int bits, int count) {
    int[] codes = new int[count];
    Arrays.fill(codes, (1 << bits) - 1);
    return Codes.of(bits, codes);
  }
}
