package dev.nola.client.gguf;

import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A tensor of a GGUF file.
 *
 * @param name its name
 * @param type type of its elements
 * @param shape its dimensions, the outermost first, as in safetensors
 * @param data its blocks; valid while the file is open
 */
public record GgufTensor(String name, GgmlType type, List<Long> shape, MemorySegment data) {
  /** Copies the shape. */
  public GgufTensor {
    shape = List.copyOf(shape);
  }

  /**
   * Decodes elements.
   *
   * @param start index of the first, a multiple of the elements of a block
   * @param target receives the elements
   * @param offset where the first goes
   * @param count how many, a multiple of the elements of a block
   */
  public void read(long start, float[] target, int offset, int count) {
    BlockDecoder.decode(this, start, target, offset, count);
  }
}
