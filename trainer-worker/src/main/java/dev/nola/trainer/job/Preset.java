package dev.nola.trainer.job;

import com.google.re2j.Pattern;

/**
 * Sizes of NOLA by the bytes of the adapter; RESULTS.md has trials of some. A key that a job sets
 * itself takes precedence.
 */
enum Preset {
  /** The MLP blocks alone, for the fewest bytes. */
  TINY("mlp", 32, 4, Kind.NEVER),
  /** All linear layers, 64 coefficients a factor. */
  SMALL("all-linear", 64, 4, Kind.NEVER),
  /** Twice the coefficients of {@link #SMALL}. */
  STANDARD("all-linear", 128, 4, Kind.NEVER),
  /** Many coefficients of 2 bits, trained with rounding at the end: more than half as many of 4. */
  BEST("all-linear", 512, 2, 0.75);

  /** Rank of all of them: it costs no bytes. */
  static final int RANK = 16;

  private final String targets;
  private final int coefficients;
  private final int bits;
  private final double roundingStart;

  Preset(String targets, int coefficients, int bits, double roundingStart) {
    this.targets = targets;
    this.coefficients = coefficients;
    this.bits = bits;
    this.roundingStart = roundingStart;
  }

  /** Sets what a job does not. */
  void fill(Settings settings) {
    settings.setDefault(MethodKeys.TARGETS, Pattern.compile(TargetSets.PATTERNS.get(targets)));
    settings.setDefault(MethodKeys.RANK, RANK);
    settings.setDefault(MethodKeys.K, coefficients);
    settings.setDefault(MethodKeys.L, coefficients);
    settings.setDefault(MethodKeys.BITS, bits);
    settings.setDefault(MethodKeys.QUANTIZATION_AWARE, roundingStart);
  }
}
