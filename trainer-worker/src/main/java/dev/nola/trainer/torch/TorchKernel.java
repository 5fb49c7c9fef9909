package dev.nola.trainer.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import dev.nola.api.name.Backend;
import dev.nola.generator.Basis;
import dev.nola.generator.Generator;
import dev.nola.generator.Hadamard;
import dev.nola.kernel.ForwardingKernel;
import dev.nola.kernel.Kernels;
import dev.nola.trainer.model.Tensors;
import java.nio.DoubleBuffer;

/**
 * Computes factors as matrix products in f64. All sums of basis integers stay below 2⁵³, where f64
 * is exact in every order and with or without fused multiply-adds: so a processor, a GPU and the
 * scalar kernel give the same bits. What is not about factors the scalar kernel does.
 *
 * <p>An independent basis is multiplied in tiles of coefficients × elements. The transform of
 * {@link Generator#SRHT} is a Kronecker product of small Hadamard matrices, so the sums are viewed
 * as a tensor with an axis for each of them, and each axis is multiplied in turn.
 */
public final class TorchKernel extends ForwardingKernel {
  /** Basis integers that are in memory at a time: 8 MiB. */
  private static final int TILE = 1 << 20;

  /** Elements of a tile: a few Philox blocks of every generator; the rest are coefficients. */
  private static final int TILE_ELEMENTS = 1 << 13;

  /** log₂ of the largest Hadamard matrix: few multiplications, and each of a size that is fast. */
  private static final int AXIS = 6;

  private static final int SIGNS = 128;

  /** A kernel that leaves to the scalar one what is not about factors. */
  public TorchKernel() {
    super(Kernels.scalar());
  }

  @Override
  public String name() {
    return Backend.TORCH.label();
  }

  @Override
  public void combine(
      Basis basis, int[] coefficients, float scale, float[] factor, int from, int to) {
    try (NDManager manager = Tensors.newManager()) {
      if (basis.generator() == Generator.SRHT) {
        combineColumns(manager, new Hadamard(basis), coefficients, scale, factor);
      } else {
        combineIndependent(manager, basis, coefficients, scale, factor, from, to);
      }
    }
  }

  private static void combineIndependent(
      NDManager manager,
      Basis basis,
      int[] coefficients,
      float scale,
      float[] factor,
      int from,
      int to) {
    for (long at = from; at < to; at += TILE_ELEMENTS) {
      int count = (int) Math.min(TILE_ELEMENTS, to - at);
      int rows = Math.min(coefficients.length, Math.max(1, TILE / count));
      double[] integers = new double[rows * count];
      try (NDManager tile = manager.newSubManager()) {
        NDArray sums = tile.zeros(new Shape(1, count), DataType.FLOAT64);
        for (int first = 0; first < coefficients.length; first += rows) {
          int height = Math.min(rows, coefficients.length - first);
          double[] values = new double[height];
          for (int i = 0; i < height; i++) {
            values[i] = coefficients[first + i];
            integers(basis, first + i, (int) at, count, integers, i * count);
          }
          try (NDManager part = tile.newSubManager()) {
            sums.addi(
                create(part, values, height, 1, height)
                    .matMul(create(part, integers, height * count, height, count)));
          }
        }
        round(sums, scale, factor, (int) at);
      }
    }
  }

  /** Writes bᵢ[from + e] to integers[at + e] for 0 ≤ e < count. */
  private static void integers(Basis basis, int i, int from, int count, double[] integers, int at) {
    int[] words = new int[4];
    int perBlock = basis.generator().perBlock();
    for (int e = 0; e < count; e++) {
      int inBlock = (from + e) % perBlock;
      if (e == 0 || inBlock == 0) {
        basis.words((from + e) / perBlock, i, words);
      }
      integers[at + e] =
          switch (basis.generator()) {
            case UNIFORM24 -> 2 * (words[inBlock] >>> 8) - ((1 << 24) - 1);
            case UNIFORM8 -> 2 * (words[inBlock / 4] >>> 8 * (inBlock % 4) & 0xFF) - 255;
            case RADEMACHER -> 1 - 2 * (words[inBlock / 32] >>> inBlock % 32 & 1);
            case SRHT -> throw new IllegalArgumentException("srht is no independent basis");
          };
    }
  }

  private static void combineColumns(
      NDManager manager, Hadamard hadamard, int[] coefficients, float scale, float[] factor) {
    int n = Hadamard.columns(factor.length);
    double[] scattered = new double[n];
    for (int i = 0; i < coefficients.length; i++) {
      scattered[hadamard.column(i)] = coefficients[i];
    }
    NDArray sums = create(manager, scattered, n, n);
    for (int done = 0; done < Hadamard.log2(n); ) {
      int bits = Math.min(AXIS, Hadamard.log2(n) - done);
      sums = multiplied(manager, sums, n, 1 << done, 1 << bits);
      done += bits;
    }
    // Repeated along the factor, under its signs, tile by tile.
    for (int at = 0; at < factor.length; ) {
      int begin = at & n - 1;
      int count = Math.min(Math.min(TILE, n - begin), factor.length - at);
      double[] signs = new double[count];
      signs(hadamard, at, signs);
      try (NDManager tile = manager.newSubManager()) {
        NDArray part = sums.get("{}:{}", begin, begin + count);
        part.attach(tile);
        round(part.mul(create(tile, signs, count, count)), scale, factor, at);
      }
      at += count;
    }
  }

  /**
   * Multiplies one axis by a Hadamard matrix.
   *
   * @param inner elements from one of the axis to the next
   * @param size of the axis
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

  private static void signs(Hadamard hadamard, int from, double[] signs) {
    int[] words = new int[4];
    for (int e = 0; e < signs.length; e++) {
      int bit = (from + e) % SIGNS;
      if (e == 0 || bit == 0) {
        hadamard.signs((from + e) / SIGNS, words);
      }
      signs[e] = 1 - 2 * (words[bit / 32] >>> bit % 32 & 1);
    }
  }

  /** The two roundings of a factor's elements; adding +0 turns −0 into +0. */
  private static void round(NDArray sums, float scale, float[] factor, int at) {
    float[] rounded =
        sums.mul((double) scale).toType(DataType.FLOAT32, false).add(0.0f).toFloatArray();
    System.arraycopy(rounded, 0, factor, at, rounded.length);
  }

  private static NDArray create(NDManager manager, double[] values, int count, long... shape) {
    return manager.create(DoubleBuffer.wrap(values, 0, count), new Shape(shape), DataType.FLOAT64);
  }
}
