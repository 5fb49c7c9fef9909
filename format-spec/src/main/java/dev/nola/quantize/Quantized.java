package dev.nola.quantize;

import dev.nola.format.Codes;

/**
 * A quantized vector: coefficient j is {@code step · codes.values()[j]} (paper, section 3.2).
 *
 * @param codes one code a coefficient
 * @param step half the distance between two levels; 0 for a vector of zeros. A layer's scale is the
 *     product of both sides' steps and of everything else that multiplies ΔW.
 * @param error relative error ‖x − step·v‖₂ / ‖x‖₂; 0 for a vector of zeros
 */
public record Quantized(Codes codes, double step, double error) {
  /**
   * Returns the coefficients that the codes stand for.
   *
   * @return {@code codes.count()} values
   */
  public double[] dequantized() {
    int[] values = codes.values();
    double[] coefficients = new double[values.length];
    for (int j = 0; j < values.length; j++) {
      coefficients[j] = step * values[j];
    }
    return coefficients;
  }
}
