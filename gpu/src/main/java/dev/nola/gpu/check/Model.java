package dev.nola.gpu.check;

import dev.nola.format.Adapter;
import dev.nola.generator.Generator;

/** The models that the figures are of, by the sizes of their linear layers. */
enum Model {
  LLAMA_7B("LLaMA-2-7B", 32, 4096, 4096, 11008),
  LLAMA_70B("LLaMA-2-70B", 80, 8192, 1024, 28672);

  private final String label;
  private final int blocks;
  private final int hidden;
  private final int keys;
  private final int inner;

  Model(String label, int blocks, int hidden, int keys, int inner) {
    this.label = label;
    this.blocks = blocks;
    this.hidden = hidden;
    this.keys = keys;
    this.inner = inner;
  }

  /**
   * Returns an adapter of all linear layers: r = 16, k = l = 128, 4 bits.
   *
   * @param generator makes the bases
   * @param number draws other coefficients for every number
   * @param atMost number of blocks at most; 0 for all
   */
  Adapter adapter(Generator generator, long number, int atMost) {
    int count = atMost == 0 ? blocks : Math.min(atMost, blocks);
    return SampleAdapters.llama(generator, number, count, new int[] {hidden, keys, inner});
  }

  @Override
  public String toString() {
    return label;
  }
}
