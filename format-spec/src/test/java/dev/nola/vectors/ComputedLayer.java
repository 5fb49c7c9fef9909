package dev.nola.vectors;

import dev.nola.format.Adapter;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients;
import dev.nola.format.Coefficients.Direct;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.generator.Generator;
import dev.nola.generator.Philox;
import dev.nola.generator.Side;
import dev.nola.kernel.Kernel;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.Reconstructor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Layers of real sizes. Their codes are computed from a number, so that nothing is stored but the
 * digest of the factors (SPEC.md section 16).
 *
 * @param about what is special
 * @param generator makes the bases
 * @param rows R
 * @param cols C
 * @param rank r; 0 in the direct form
 * @param k coefficients of side A
 * @param l coefficients of side B
 * @param bits width of the codes of both sides
 * @param stream stream number
 * @param codes key from which the codes are drawn; −1 if every code is the highest
 */
record ComputedLayer(
    String about,
    Generator generator,
    int rows,
    int cols,
    int rank,
    int k,
    int l,
    int bits,
    int stream,
    long codes) {
  static final String TENSOR = "w";
  static final float SCALE = 0x1p-20f;
  static final long SEED = 0x0123456789abcdefL;

  static List<ComputedLayer> all() {
    List<ComputedLayer> all = new ArrayList<>();
    String[] names = {"q", "k", "v", "o", "gate", "up", "down"};
    for (int i = 0; i < names.length; i++) {
      int rows = i == 4 || i == 5 ? 11_008 : 4096;
      int cols = i == 6 ? 11_008 : 4096;
      for (Generator generator : Generator.PSEUDORANDOM) {
        all.add(
            new ComputedLayer(
                names[i] + " of a 7B layer, as section 15 has it",
                generator,
                rows,
                cols,
                16,
                128,
                128,
                4,
                i,
                i));
      }
    }
    Generator srht = Generator.SRHT;
    all.add(new ComputedLayer("2^17 < len < 2^18", srht, 9001, 16, 16, 40_000, 99, 16, 1, 7));
    all.add(
        new ComputedLayer("direct, 2^20 < len < 2^21", srht, 1000, 1500, 0, 65_536, 0, 16, 2, 8));
    all.add(
        new ComputedLayer("srht sums of 2^32 - 2^16", srht, 100, 1000, 0, 65_536, 0, 16, 3, -1));
    all.add(
        new ComputedLayer(
            "rademacher, 40,000 coefficients of 16 bits",
            Generator.RADEMACHER,
            40,
            50,
            4,
            40_000,
            39_999,
            16,
            4,
            9));
    all.add(
        new ComputedLayer(
            "uniform8, sums above 2^31", Generator.UNIFORM8, 30, 20, 2, 20_000, 30_001, 16, 5, -1));
    all.add(
        new ComputedLayer(
            "uniform24, 8,192 coefficients of 16 bits",
            Generator.UNIFORM24,
            130,
            131,
            1,
            8192,
            8191,
            16,
            6,
            10));
    int lora = 16 * 4096;
    all.add(
        new ComputedLayer(
            "a LoRA of rank 16", Generator.IDENTITY, 4096, 4096, 16, lora, lora, 16, 0, 11));
    return all;
  }

  static ComputedLayer of(JsonNode node) {
    return new ComputedLayer(
        node.get("about").asString(),
        Generator.ofId(node.get("generator").asInt()).orElseThrow(),
        node.get("rows").asInt(),
        node.get("cols").asInt(),
        node.get("rank").asInt(),
        node.get("k").asInt(),
        node.get("l").asInt(),
        node.get("bits").asInt(),
        node.get("stream").asInt(),
        node.get("codes").asLong());
  }

  Adapter adapter() {
    Coefficients coefficients =
        rank == 0
            ? new Direct(draw(Side.A, k))
            : new LowRank(rank, draw(Side.A, k), draw(Side.B, l));
    return Adapter.builder()
        .generator(generator)
        .seed(generator == Generator.IDENTITY ? 0 : SEED)
        .layer(Layer.ofMatrix(TENSOR, rows, cols, stream, SCALE, coefficients))
        .build();
  }

  private Codes draw(Side side, int count) {
    int[] drawn = new int[count];
    int[] words = new int[4];
    for (int j = 0; j < count; j++) {
      if (j % 4 == 0) {
        Philox.block(codes, j / 4, 0, 0, side.ordinal(), words);
      }
      drawn[j] = words[j % 4] >>> 32 - bits;
    }
    if (codes < 0) {
      Arrays.fill(drawn, (1 << bits) - 1);
    }
    return Codes.of(bits, drawn);
  }

  void describe(ObjectNode node, Kernel kernel) {
    node.put("about", about);
    node.put("generator", generator.id());
    node.put("rows", rows).put("cols", cols).put("rank", rank);
    node.put("k", k).put("l", l).put("bits", bits);
    node.put("stream", stream).put("codes", codes);
    Reconstructor reconstructor = Reconstructor.standard().withKernel(kernel);
    Adapter adapter = adapter();
    try {
      node.put("leaf", reconstructor.digest(adapter).layers().getFirst().hex());
      Factors factors = reconstructor.open(adapter).apply(adapter.layers().getFirst());
      double[] delta = new double[8];
      factors.delta(0, delta, delta.length);
      var exact = node.putArray("delta64");
      for (double value : delta) {
        exact.add("%016x".formatted(Double.doubleToRawLongBits(value)));
      }
    } catch (LimitExceededException e) {
      throw new AssertionError("the layers here are within the budget", e);
    }
  }
}
