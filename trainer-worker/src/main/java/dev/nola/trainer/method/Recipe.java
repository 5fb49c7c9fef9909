package dev.nola.trainer.method;

import com.google.re2j.Pattern;
import dev.nola.generator.Generator;

/**
 * How targets are trained.
 *
 * @param method what is trained
 * @param targets pattern that is found in the names of the tensors to adapt
 * @param size sizes of a target's factors
 * @param bases bases that coefficients are multiplied by; those of {@link Method#LORA}, and only
 *     they, are {@link Generator#IDENTITY}
 * @param scaling what ΔW is multiplied by: c/√(r·in) or, by the paper's rule, c/(3r), for the
 *     normalised product of NOLA's factors, c/√in for PRANC's normalised sum, c/r for LoRA's
 *     product
 * @param quantizationAwareBits width of the codes that training rounds the coefficients to, in
 *     bits; 0 for the usual 16. LoRA's coefficients are the elements of its factors
 */
public record Recipe(
    Method method,
    Pattern targets,
    Size size,
    Bases bases,
    Scaling scaling,
    int quantizationAwareBits) {
  /**
   * Checks the generator.
   *
   * @throws IllegalArgumentException if the generator is not one that the method can use
   */
  public Recipe {
    if ((method == Method.LORA) != (bases.generator == Generator.IDENTITY)) {
      throw new IllegalArgumentException(
          "invalid generator of %s: %s; must be %s for LoRA, and another for other methods"
              .formatted(method, bases.generator, Generator.IDENTITY));
    }
  }

  /**
   * The sizes of a target's factors.
   *
   * @param view the matrix that they multiply to
   * @param rank rank r of {@link Method#NOLA} and {@link Method#LORA}
   * @param k number of coefficients of side A, and of PRANC's ΔW
   * @param l number of coefficients of side B
   */
  public record Size(View view, int rank, int k, int l) {
    /** Number of coefficients of a side in a job that does not say. */
    public static final int DEFAULT_COEFFICIENTS = 256;
  }

  /**
   * The bases.
   *
   * @param generator generator of the bases
   * @param seed seed of the bases that are drawn, and of initial values
   * @param shared whether all targets take their bases from one stream
   * @param stored whether bases are kept in memory, as in the paper's code, instead of being
   *     generated in every step
   */
  public record Bases(Generator generator, long seed, boolean shared, boolean stored) {
    /** Returns the seed that a file needs to draw the bases: 0 if nothing is drawn. */
    long storedSeed() {
      return generator == Generator.IDENTITY ? 0 : seed;
    }
  }

  int trainingBits() {
    return quantizationAwareBits == 0 ? BasisSide.TRAINING_BITS : quantizationAwareBits;
  }
}
