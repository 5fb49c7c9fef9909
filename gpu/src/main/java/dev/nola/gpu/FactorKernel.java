package dev.nola.gpu;

import dev.nola.format.Codes;
import dev.nola.generator.Basis;
import dev.nola.generator.Generator;
import dev.nola.generator.Hadamard;

/**
 * The kernels that compute factors (src/main/cuda/kernels.cuh): the fastest one whose arithmetic is
 * exact for a factor computes it.
 */
enum FactorKernel {
  SRHT16("srht16", 256, 8192),
  SRHT32("srht32", 256, 4096),
  SRHT64("srht64", 256, 4096),
  SRHT_SMALL("srhtSmall", 256, 4096),
  UNIFORM24("uniform24", 128, 128 * 4),
  UNIFORM8("uniform8", 128, 128 * 16),
  UNIFORM8_WORD("uniform8Word", 128, 128 * 16),
  UNIFORM8_LONG("uniform8Long", 128, 128 * 16),
  RADEMACHER4("rademacher4", 128, 128 * 128),
  RADEMACHER8("rademacher8", 128, 128 * 128),
  RADEMACHER_LONG("rademacherLong", 128, 128 * 32),
  IDENTITY("identity", 256, 256 * 4);

  /** A factor of this size or less is computed by one block that holds its whole transform. */
  private static final int SMALL_LOG2 = 11;

  /** The bits of a sum that a float holds exactly. */
  private static final int FLOAT_BITS = 24;

  private final String label;
  private final int threads;
  private final int tileElements;

  FactorKernel(String label, int threads, int tileElements) {
    this.label = label;
    this.threads = threads;
    this.tileElements = tileElements;
  }

  /**
   * Chooses the kernel of a factor.
   *
   * @param basis the factor's basis
   * @param codes the factor's coefficients
   * @return the kernel
   */
  static FactorKernel of(Basis basis, Codes codes) {
    Generator generator = basis.generator();
    int highest = (1 << codes.bits()) - 1;
    long bound = generator.sumBound(codes.count(), codes.bits());
    return switch (generator) {
      case SRHT -> {
        int log2 = Hadamard.log2(basis.length());
        if (log2 <= SMALL_LOG2) {
          yield SRHT_SMALL;
        }
        if (bound <= Short.MAX_VALUE && 1 << log2 >= SRHT16.tileElements) {
          yield SRHT16;
        }
        yield bound <= Integer.MAX_VALUE ? SRHT32 : SRHT64;
      }
      case UNIFORM24 -> UNIFORM24;
      case UNIFORM8 -> {
        // The kernels add v·y with a byte y and subtract 255·Σv: each half stays below this.
        if (2 * bound + 2L * codes.count() * highest > Integer.MAX_VALUE) {
          yield UNIFORM8_LONG;
        }
        yield highest <= Byte.MAX_VALUE ? UNIFORM8 : UNIFORM8_WORD;
      }
      case RADEMACHER -> {
        if (codes.bits() <= 4 && codes.count() * 15L < 1 << 16) {
          yield RADEMACHER4;
        }
        yield codes.bits() <= 8 && codes.count() * 255L < 1 << 16 ? RADEMACHER8 : RADEMACHER_LONG;
      }
      case IDENTITY -> IDENTITY;
    };
  }

  /** Returns whether a sum may have more bits than a float holds exactly. */
  static boolean isWide(Basis basis, Codes codes) {
    return basis.generator().sumBound(codes.count(), codes.bits()) > 1L << FLOAT_BITS;
  }

  /** Returns the name of the function that stores elements of a type. */
  String function(ElementType type) {
    return label + type.suffix();
  }

  /** Returns the number of threads of a block. */
  int threads() {
    return threads;
  }

  /** Returns the number of blocks that compute a factor. */
  int tiles(int length) {
    return switch (this) {
      // A block computes its elements and those N further, which have the same sums.
      case SRHT16, SRHT32, SRHT64 -> Hadamard.columns(length) / tileElements;
      case SRHT_SMALL -> 1;
      default -> (length - 1) / tileElements + 1;
    };
  }
}
