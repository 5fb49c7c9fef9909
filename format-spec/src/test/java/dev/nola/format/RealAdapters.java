package dev.nola.format;

import dev.nola.format.Coefficients.LowRank;
import dev.nola.generator.Generator;
import java.util.List;
import java.util.Random;

/** Adapters with the layer maps of real models, and random codes of 4 bits. */
public final class RealAdapters {
  private RealAdapters() {}

  /**
   * Query and value projections of the first layers of GPT-2 Large, rank 8.
   *
   * @param layers up to 36, of two matrices each
   * @param coefficients k and l
   */
  public static Adapter.Builder gpt2LargeQueryValue(
      Generator generator, int layers, int coefficients) {
    Adapter.Builder adapter = Adapter.builder().generator(generator).seed(42);
    int stream = 0;
    for (String projection : List.of("q", "v")) {
      for (int i = 0; i < layers; i++) {
        String name = "transformer.h." + i + ".attn." + projection + ".weight";
        adapter.layer(matrix(name, 1280, 1280, 8, coefficients, stream++));
      }
    }
    return adapter;
  }

  /** All linear layers of LLaMA-2-7B, rank 16, k = l = 128. */
  public static Adapter.Builder llama2AllLinear(Generator generator) {
    Adapter.Builder adapter = Adapter.builder().generator(generator).seed(42);
    int stream = 0;
    for (int i = 0; i < 32; i++) {
      String layer = "model.layers." + i;
      for (String projection : List.of("q", "k", "v", "o")) {
        String name = layer + ".self_attn." + projection + "_proj.weight";
        adapter.layer(matrix(name, 4096, 4096, 16, 128, stream++));
      }
      adapter.layer(matrix(layer + ".mlp.gate_proj.weight", 11008, 4096, 16, 128, stream++));
      adapter.layer(matrix(layer + ".mlp.up_proj.weight", 11008, 4096, 16, 128, stream++));
      adapter.layer(matrix(layer + ".mlp.down_proj.weight", 4096, 11008, 16, 128, stream++));
    }
    return adapter;
  }

  private static Layer matrix(
      String name, int rows, int cols, int rank, int coefficients, int stream) {
    Random random = new Random(stream);
    Codes alpha = Codes.of(4, random.ints(coefficients, 0, 16).toArray());
    Codes beta = Codes.of(4, random.ints(coefficients, 0, 16).toArray());
    return Layer.ofMatrix(name, rows, cols, stream, 0x1p-10f, new LowRank(rank, alpha, beta));
  }
}
