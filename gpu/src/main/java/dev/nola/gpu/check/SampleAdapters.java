package dev.nola.gpu.check;

import dev.nola.format.Adapter;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients;
import dev.nola.format.Coefficients.Direct;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.Layer;
import dev.nola.format.Slice;
import dev.nola.generator.Generator;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** Adapters with random coefficients, the same at every call. */
public final class SampleAdapters {
  private static final long SEED = 0x0123_4567_89AB_CDEFL;

  private SampleAdapters() {}

  /**
   * The numbers that describe a layer's coefficients.
   *
   * @param rank r, or 0 in the direct form
   * @param count k and l; {@link Generator#IDENTITY} has one an element instead
   * @param bits width of a code
   */
  private record Size(int rank, int count, int bits) {}

  /**
   * Returns an adapter of all linear layers of a model like LLaMA: r = 16, k = l = 128, 4 bits
   * (SPEC.md section 15).
   *
   * @param widths the sizes of hidden states, keys and inner states
   */
  static Adapter llama(Generator generator, long number, int blocks, int[] widths) {
    int hidden = widths[0];
    int keys = widths[1];
    int inner = widths[2];
    Builder builder = new Builder(generator, number);
    Size size = new Size(16, 128, 4);
    for (int i = 0; i < blocks; i++) {
      String block = "model.layers." + i + ".";
      builder.matrix(block + "self_attn.q_proj.weight", hidden, hidden, size);
      builder.matrix(block + "self_attn.k_proj.weight", keys, hidden, size);
      builder.matrix(block + "self_attn.v_proj.weight", keys, hidden, size);
      builder.matrix(block + "self_attn.o_proj.weight", hidden, hidden, size);
      builder.matrix(block + "mlp.gate_proj.weight", inner, hidden, size);
      builder.matrix(block + "mlp.up_proj.weight", inner, hidden, size);
      builder.matrix(block + "mlp.down_proj.weight", hidden, inner, size);
    }
    return builder.build();
  }

  /**
   * Returns adapters whose lengths, counts and widths are at the edges of the kernels.
   *
   * @param generator makes the bases
   * @return adapters that together need every kernel of the generator
   */
  public static List<Adapter> odd(Generator generator) {
    List<Adapter> adapters = new ArrayList<>(small(generator));
    for (int bits : new int[] {1, 4, 7, 8, 12, 16}) {
      Builder builder = new Builder(generator, bits);
      builder.matrix("a", 4095, 3, new Size(1, 257, bits));
      builder.matrix("b", 4097, 4099, new Size(1, 100, bits));
      builder.matrix("c", 4101, 1366, new Size(3, 65, bits));
      builder.matrix("d", 8191, 8193, new Size(1, 33, bits));
      builder.matrix("e", 100, 131, new Size(0, 255, bits));
      builder.slice("f", 70, 130, new Slice(1, 3, 121), new Size(0, 31, bits));
      builder.matrix("g", 2731, 2731, new Size(6, 7, bits));
      adapters.add(builder.build());
    }
    // Sums that need 64 bits.
    Size many = new Size(0, generator == Generator.SRHT ? 40_000 : 5_000, 16);
    int rows = generator == Generator.SRHT ? 300 : 29;
    adapters.add(new Builder(generator, 99).matrix("h", rows, 220, many).build());
    return adapters;
  }

  /**
   * Returns adapters of a few hundred elements.
   *
   * @param generator makes the bases
   * @return adapters of every form
   */
  public static List<Adapter> small(Generator generator) {
    Builder builder = new Builder(generator, 0);
    builder.matrix("a", 1, 1, new Size(1, 1, 3));
    builder.matrix("b", 1, 1, new Size(0, 1, 16));
    builder.matrix("c", 13, 17, new Size(2, 5, 5));
    builder.slice("d", 6, 50, new Slice(0, 2, 3), new Size(3, 11, 4));
    builder.slice("e", 6, 50, new Slice(1, 1, 40), new Size(0, 29, 4));
    builder.matrix("f", 257, 9, new Size(1, 8, 2));
    return List.of(builder.build());
  }

  /**
   * Returns adapters that can share a plan: they differ in seed, scales and codes.
   *
   * @param generator makes the bases
   * @param count number of adapters
   * @return the adapters
   */
  public static List<Adapter> alike(Generator generator, int count) {
    List<Adapter> adapters = new ArrayList<>();
    for (int number = 0; number < count; number++) {
      Builder builder = new Builder(generator, number);
      builder.matrix("a", 1030, 8195, new Size(4, 20, 4));
      builder.matrix("b", 64, 33, new Size(0, 20, 4));
      adapters.add(builder.build());
    }
    return adapters;
  }

  /**
   * Returns adapters that can share a plan and whose ΔW is about as large as weights.
   *
   * @param count number of adapters
   * @return adapters of every form, with ranks that the merging kernels take in one part and in two
   */
  public static List<Adapter> toMerge(int count) {
    List<Adapter> adapters = new ArrayList<>();
    for (int number = 0; number < count; number++) {
      Builder builder = new Builder(Generator.UNIFORM8, number);
      builder.matrix("a", 37, 301, new Size(5, 9, 4));
      builder.matrix("b", 16, 256, new Size(19, 9, 4));
      builder.matrix("c", 33, 65, new Size(0, 9, 4));
      builder.slice("d", 40, 70, new Slice(0, 3, 17), new Size(2, 9, 4));
      builder.slice("e", 40, 70, new Slice(1, 11, 33), new Size(4, 9, 4));
      adapters.add(builder.build());
    }
    return adapters;
  }

  private static final class Builder {
    private final Generator generator;
    private final SplittableRandom random;
    private final Adapter.Builder adapter;
    private int layers;

    Builder(Generator generator, long number) {
      this.generator = generator;
      this.random = new SplittableRandom(SEED + number);
      this.adapter =
          Adapter.builder()
              .generator(generator)
              .seed(generator == Generator.IDENTITY ? 0 : SEED * (2 * number + 1));
    }

    Builder matrix(String tensor, int rows, int cols, Size size) {
      return layer(tensor, List.of(rows, cols), null, new int[] {rows, cols}, size);
    }

    void slice(String tensor, int rows, int cols, Slice slice, Size size) {
      int[] view = {rows, cols};
      view[slice.dim()] = slice.length();
      layer(tensor, List.of(rows, cols), slice, view, size);
    }

    private Builder layer(
        String tensor, List<Integer> shape, @Nullable Slice slice, int[] view, Size size) {
      int rows = view[0];
      int cols = view[1];
      Coefficients coefficients =
          size.rank() == 0
              ? new Direct(codes((long) rows * cols, size))
              : new LowRank(
                  size.rank(),
                  codes((long) rows * size.rank(), size),
                  codes((long) cols * size.rank(), size));
      int stream = generator == Generator.IDENTITY ? 0 : 7 * layers;
      float scale = (float) random.nextDouble(0x1p-22, 0x1p-18);
      adapter.layer(new Layer(tensor, shape, slice, rows, cols, stream, scale, coefficients));
      layers++;
      return this;
    }

    private Codes codes(long length, Size size) {
      long most = generator.maxCoefficients((int) length, size.bits());
      int count =
          generator == Generator.IDENTITY ? (int) length : (int) Math.min(size.count(), most);
      int[] codes = new int[count];
      for (int i = 0; i < count; i++) {
        codes[i] = random.nextInt(1 << size.bits());
      }
      return Codes.of(size.bits(), codes);
    }

    Adapter build() {
      return adapter.build();
    }
  }
}
