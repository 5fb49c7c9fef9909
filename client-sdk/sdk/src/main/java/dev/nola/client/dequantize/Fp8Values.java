package dev.nola.client.dequantize;

import dev.nola.client.safetensors.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * 8-bit floats, each multiplied by the scale of its block. A block is the whole matrix, a row, or a
 * rectangle; the last block of a row or column may be smaller. The scales' own shape is the grid of
 * blocks. Dimensions before the last two, as of experts, have a grid each.
 */
final class Fp8Values implements Values {
  private final Tensor weight;

  /** Values by code. */
  private final float[] table;

  private final Tensor scales;
  private final StoredFloats scaleOf;
  private final long matrixRows;
  private final long columns;
  private final long gridRows;
  private final long gridColumns;
  private final long blockRows;
  private final long blockColumns;
  private final boolean single;

  /**
   * Relates a tensor to its scales.
   *
   * @param weight the codes
   * @param scales one for each block; those of type U8 are exponents (E8M0)
   * @param block rows and columns of a block, as the config says; used if they fit the scales
   * @throws IllegalArgumentException if the scales do not fit the tensor, with a predicate of it
   */
  Fp8Values(Tensor weight, Tensor scales, List<Long> block) {
    this.weight = weight;
    this.scales = scales;
    this.table = table(floats(weight.type()));
    this.scaleOf = floats(scales.type().equals("U8") ? "F8_E8M0" : scales.type());
    int dimensions = weight.shape().size();
    columns = dimensions == 0 ? 1 : weight.shape().getLast();
    matrixRows = dimensions < 2 ? 1 : weight.shape().get(dimensions - 2);
    long matrices = weight.elements() / Math.max(1, columns * matrixRows);
    single = scales.elements() == 1;
    if (single) {
      gridRows = gridColumns = 1;
    } else if (scales.elements() == matrices * matrixRows && scales.shape().size() < 2
        || !scales.shape().isEmpty() && scales.shape().getLast() == 1) {
      gridRows = scales.elements() / matrices;
      gridColumns = 1;
    } else {
      int size = scales.shape().size();
      gridColumns = size == 0 ? 1 : scales.shape().getLast();
      gridRows = size < 2 ? 1 : scales.shape().get(size - 2);
    }
    blockRows = blockSize(matrixRows, gridRows, block.getFirst());
    blockColumns = blockSize(columns, gridColumns, block.getLast());
    if (blockRows == 0
        || blockColumns == 0
        || !single && gridRows * gridColumns * matrices != scales.elements()) {
      throw new IllegalArgumentException(
          "has shape %s and scales of shape %s; must have one for each block"
              .formatted(weight.shape(), scales.shape()));
    }
  }

  private static StoredFloats floats(String type) {
    return StoredFloats.of(type)
        .orElseThrow(() -> new IllegalArgumentException(StoredFloats.unreadable(type)));
  }

  private static float[] table(StoredFloats type) {
    byte[] codes = new byte[256];
    float[] table = new float[codes.length];
    for (int code = 0; code < table.length; code++) {
      codes[code] = (byte) code;
      table[code] = type.get(MemorySegment.ofArray(codes), code);
    }
    return table;
  }

  /** Returns the size of the blocks that cover a dimension; 0 if no size fits their number. */
  private static long blockSize(long size, long blocks, long declared) {
    if (blocks == 1) {
      return Math.max(1, size);
    }
    if (Math.ceilDiv(size, declared) == blocks) {
      return declared;
    }
    return blocks > 0 && size % blocks == 0 ? size / blocks : 0;
  }

  @Override
  public void read(long first, int rows, float[] target) {
    int place = 0;
    byte[] codes = new byte[Math.toIntExact(columns)];
    for (long row = first; row < first + rows; row++) {
      long grid =
          single ? 0 : (row / matrixRows * gridRows + row % matrixRows / blockRows) * gridColumns;
      MemorySegment.copy(
          weight.data(), ValueLayout.JAVA_BYTE, row * columns, codes, 0, codes.length);
      for (long start = 0; start < columns; start += blockColumns) {
        float scale = scaleOf.get(scales.data(), single ? 0 : grid + start / blockColumns);
        int limit = (int) Math.min(columns, start + blockColumns);
        for (int column = (int) start; column < limit; column++) {
          target[place++] = table[Byte.toUnsignedInt(codes[column])] * scale;
        }
      }
    }
  }
}
