package dev.nola.trainer.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import dev.nola.api.name.BackendName;
import dev.nola.generator.Basis;
import dev.nola.generator.Generator;
import dev.nola.generator.Hadamard;
import dev.nola.kernel.ForwardingKernel;
import dev.nola.kernel.Kernels;
import dev.nola.trainer.model.Tensors;
import java.nio.DoubleBuffer;

/**
 * Computes factors as matrix products in f64. All sums of basis integers stay below 2⁵³, where f64
 * is exact in every order and with or without fused multiply-adds: so a CPU, a GPU and the scalar
 * kernel compute the same bits. The scalar kernel does everything but factors.
 *
 * <p>An independent basis is multiplied in tiles of coefficients × elements. The transform of
 * {@link Generator#SRHT} is a Kronecker product of small Hadamard matrices, so the sums are viewed
 * as a tensor with an axis for each of them, and each axis is multiplied in turn.
 */
public final class TorchKernel extends ForwardingKernel {
  /** Number of basis integers in memory at a time: 8 MiB. */
  private static final int TILE = 1 << 20;

  /** Elements of a tile: a few Philox blocks of every generator; the rest are coefficients. */
  private static final int TILE_ELEMENTS = 1 << 13;

  /** log₂ of the largest Hadamard matrix: few multiplications, and each of a size that is fast. */
  private static final int AXIS = 6;

  private static final int SIGNS = 128;

  /** Creates a kernel. */
  public TorchKernel() {
    super(Kernels.scalar());
  }

  @Override
  public String name() {
    return BackendName.TORCH.label();
  }

  @Override
  public void combine(
      Basis basis, int[] coefficients, float scale, Target target, int start, int end) {
    switch (basis.generator()) {
      case SRHT -> combineColumns(new Hadamard(basis), coefficients, scale, target.array());
      case IDENTITY -> super.combine(basis, coefficients, scale, target, start, end);
      case UNIFORM24, UNIFORM8, RADEMACHER ->
          combineIndependent(basis, coefficients, scale, target, start, end);
    }
  }

  private static void combineIndependent(
      Basis basis, int[] coefficients, float scale, Target target, int start, int end) {
    for (long offset = start; offset < end; offset += TILE_ELEMENTS) {
      int count = (int) Math.min(TILE_ELEMENTS, end - offset);
      int rows = Math.min(coefficients.length, Math.max(1, TILE / count));
      double[] integers = new double[rows * count];
      try (NDManager tile = Tensors.newManager()) {
        NDArray sums = tile.zeros(new Shape(1, count), DataType.FLOAT64);
        for (int row = 0; row < coefficients.length; row += rows) {
          int height = Math.min(rows, coefficients.length - row);
          double[] values = new double[height];
          for (int i = 0; i < height; i++) {
            values[i] = coefficients[row + i];
            integers(basis, row + i, (int) offset, count, integers, i * count);
          }
          try (NDManager part = tile.newSubManager()) {
            sums.addi(
                create(part, values, height, 1, height)
                    .matMul(create(part, integers, height * count, height, count)));
          }
        }
        round(sums, scale, target.array(), (int) offset - target.first());
      }
    }
  }

  /** Writes bᵢ[start + e] to integers[offset + e] for 0 ≤ e < count. */
  private static void integers(
      Basis basis, int i, int start, int count, double[] integers, int offset) {
    int[] words = new int[4];
    int perBlock = basis.generator().perBlock();
    for (int e = 0; e < count; e++) {
      int position = (start + e) % perBlock;
      if (e == 0 || position == 0) {
        basis.words((start + e) / perBlock, i, words);
      }
      integers[offset + e] =
          switch (basis.generator()) {
            case UNIFORM24 -> 2 * (words[position] >>> 8) - ((1 << 24) - 1);
            case UNIFORM8 -> 2 * (words[position / 4] >>> 8 * (position % 4) & 0xFF) - 255;
            case RADEMACHER -> 1 - 2 * (words[position / 32] >>> position % 32 & 1);
            case SRHT, IDENTITY ->
                throw new IllegalArgumentException(
                    "basis not independent: %s; has sums of its own".formatted(basis.generator()));
          };
    }
  }

  private static void combineColumns(
      Hadamard hadamard, int[] coefficients, float scale, float[] factor) {
    try (NDManager manager = Tensors.newManager()) {
      NDArray sums = columnSums(manager, hadamard, coefficients, factor.length);
      repeat(manager, hadamard, sums, scale, factor);
    }
  }

  /** Sums the columns of the transform. */
  private static NDArray columnSums(
      NDManager manager, Hadamard hadamard, int[] coefficients, int length) {
    int n = Hadamard.columns(length);
    double[] scattered = new double[n];
    for (int i = 0; i < coefficients.length; i++) {
      scattered[hadamard.column(i)] = coefficients[i];
    }
    NDArray sums = create(manager, scattered, n, n);
    for (int bit = 0; bit < Hadamard.log2(n); ) {
      int bits = Math.min(AXIS, Hadamard.log2(n) - bit);
      sums = multiplied(manager, sums, n, 1 << bit, 1 << bits);
      bit += bits;
    }
    return sums;
  }

  /** Repeats the sums along the factor, under its signs, tile by tile. */
  private static void repeat(
      NDManager manager, Hadamard hadamard, NDArray sums, float scale, float[] factor) {
    int n = Hadamard.columns(factor.length);
    for (int offset = 0; offset < factor.length; ) {
      int begin = offset & n - 1;
      int count = Math.min(Math.min(TILE, n - begin), factor.length - offset);
      double[] signs = new double[count];
      signs(hadamard, offset, signs);
      try (NDManager tile = manager.newSubManager()) {
        NDArray part = sums.get("{}:{}", begin, begin + count);
        part.attach(tile);
        round(part.mul(create(tile, signs, count, count)), scale, factor, offset);
      }
      offset += count;
    }
  }

  /**
   * Multiplies one axis by a Hadamard matrix.
   *
   * @param manager manager that owns the product
   * @param sums n elements, which are closed
   * @param n number of elements
   * @param inner distance of the axis's elements
   * @param size size of the axis
   */
  private static NDArray multiplied(NDManager manager, NDArray sums, int n, int inner, int size) {
    double[] matrix = new double[size * size];
    for (int row = 0; row < size; row++) {
      for (int column = 0; column < size; column++) {
        matrix[row * size + column] = 1 - 2 * (Integer.bitCount(row & column) & 1);
      }
    }
    try (NDManager step = manager.newSubManager();
        sums) {
      sums.attach(step);
      NDArray hadamard = create(step, matrix, matrix.length, size, size);
      NDArray product =
          inner == 1
              ? sums.reshape(n / size, size).matMul(hadamard)
              : hadamard.matMul(sums.reshape(n / size / inner, size, inner));
      NDArray flat = product.reshape(n);
      flat.attach(manager);
      return flat;
    }
  }

  private static void signs(Hadamard hadamard, int start, double[] signs) {
    int[] words = new int[4];
    for (int e = 0; e < signs.length; e++) {
      int bit = (start + e) % SIGNS;
      if (e == 0 || bit == 0) {
        hadamard.signs((start + e) / SIGNS, words);
      }
      signs[e] = 1 - 2 * (words[bit / 32] >>> bit % 32 & 1);
    }
  }

  /** Rounds a factor's elements twice; adding +0 turns −0 into +0. */
  private static void round(NDArray sums, float scale, float[] factor, int offset) {
    float[] rounded =
        sums.mul((double) scale).toType(DataType.FLOAT32, false).add(0.0f).toFloatArray();
    System.arraycopy(rounded, 0, factor, offset, rounded.length);
  }

  private static NDArray create(NDManager manager, double[] values, int count, long... shape) {
    return manager.create(DoubleBuffer.wrap(values, 0, count), new Shape(shape), DataType.FLOAT64);
  }
}
