package dev.nola.gpu;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.nola.format.Codes;
import dev.nola.generator.Basis;
import dev.nola.generator.Hadamard;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The factors that one kernel works on, and which blocks of threads work on which factor: the
 * structure {@code Factor} of src/main/cuda/layout.cuh.
 */
final class TileTable {
  private static final int FACTOR_BYTES = 56;

  /** Instead of an offset: the scale is 1. */
  static final long NO_SCALE = -1;

  private final ByteArrayOutputStream factors = new ByteArrayOutputStream();
  private final List<Integer> firstTiles = new ArrayList<>();
  private int tiles;

  /**
   * Where things of a factor are.
   *
   * @param out its first element in the output
   * @param codes offset of its codes in the codes section
   * @param scale offset of its layer's scale there, or {@link #NO_SCALE}
   */
  record Offsets(long out, long codes, long scale) {}

  /**
   * Adds a factor.
   *
   * @param basis its basis
   * @param codes its coefficients' codes, of which only number and width count
   * @param offsets where things are
   * @param wide whether its sums must be rounded in f64
   * @param count number of blocks that work on it
   */
  void add(Basis basis, Codes codes, Offsets offsets, boolean wide, int count) {
    factors.writeBytes(
        ByteBuffer.allocate(FACTOR_BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(offsets.out())
            .putLong(offsets.codes())
            .putLong(offsets.scale())
            .putInt(basis.length())
            .putInt(Hadamard.log2(basis.length()))
            .putInt(basis.stream())
            .putInt(basis.side().ordinal())
            .putInt(codes.count())
            .putInt(codes.bits())
            .putInt(tiles)
            .putInt(wide ? 1 : 0)
            .array());
    firstTiles.add(tiles);
    tiles = Math.addExact(tiles, count);
  }

  /** Returns the number of blocks. */
  int tiles() {
    return tiles;
  }

  /** Copies the factors to a device. */
  DeviceMemory uploadFactors(CudaDevice device) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment table = arena.allocate(factors.size(), Long.BYTES);
      table.copyFrom(MemorySegment.ofArray(factors.toByteArray()));
      return DeviceMemory.of(device, table);
    }
  }

  /** Copies the index of each block's factor to a device. */
  DeviceMemory uploadTiles(CudaDevice device) {
    int[] factorOfTile = new int[tiles];
    for (int i = 0; i < firstTiles.size(); i++) {
      int end = i + 1 < firstTiles.size() ? firstTiles.get(i + 1) : tiles;
      Arrays.fill(factorOfTile, firstTiles.get(i), end, i);
    }
    try (Arena arena = Arena.ofConfined()) {
      return DeviceMemory.of(device, arena.allocateFrom(JAVA_INT, factorOfTile));
    }
  }
}
