package dev.nola.trainer.job;

import com.google.re2j.Pattern;

/**
 * Sizes of NOLA by the bytes of the adapter, from RESULTS.md. A key that a job sets itself takes
 * precedence.
 */
enum Preset {
  /** The MLP blocks alone: with few bytes, more coefficients in fewer targets are better. */
  TINY("mlp", 32, 4, Kind.NEVER),
  /** All linear layers, 64 coefficients a factor. */
  SMALL("all-linear", 64, 4, Kind.NEVER),
  /** Twice the coefficients: generated texts need more than the loss shows. */
  STANDARD("all-linear", 128, 4, Kind.NEVER),
  /** Many coefficients of 2 bits, trained with rounding at the end: more than half as many of 4. */
  BEST("all-linear", 512, 2, 0.75);

  /** Rank of all of them: it costs no bytes, and a larger one was not better. */
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
    settings.setDefault(
        MethodKeys.TARGETS, Pattern.compile(TargetSets.PATTERNS.getOrDefault(targets, targets)));
    settings.setDefault(MethodKeys.RANK, RANK);
    settings.setDefault(MethodKeys.K, coefficients);
    settings.setDefault(MethodKeys.L, coefficients);
    settings.setDefault(MethodKeys.BITS, bits);
    settings.setDefault(MethodKeys.QUANTIZATION_AWARE, roundingStart);
  }
}
