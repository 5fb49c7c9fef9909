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
 * @param training what training computes with
 */
public record Recipe(
    Method method, Pattern targets, Size size, Bases bases, Scaling scaling, Training training) {
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
   * Describes a training without dropout, and with one seed.
   *
   * @param method what is trained
   * @param targets pattern that is found in the names of the tensors to adapt
   * @param size sizes of a target's factors
   * @param bases bases that coefficients are multiplied by
   * @param scaling what ΔW is multiplied by
   * @param rounding which coefficients training computes with
   */
  public Recipe(
      Method method, Pattern targets, Size size, Bases bases, Scaling scaling, Rounding rounding) {
    this(method, targets, size, bases, scaling, new Training(rounding, 0, bases.seed()));
  }

  /**
   * What training computes with, other than evaluations, and where it begins.
   *
   * @param rounding which coefficients
   * @param dropout probability that an element of a target's input is 0 for its ΔW, from 0 to below
   *     1
   * @param seed seed of the initial values and of dropout
   */
  public record Training(Rounding rounding, double dropout, long seed) {}

  /**
   * The sizes of a target's factors.
   *
   * @param view the matrix that they multiply to
   * @param rank rank r of {@link Method#NOLA} and {@link Method#LORA}
   * @param k number of coefficients of side A, and of PRANC's ΔW
   * @param l number of coefficients of side B
   */
  public record Size(View view, int rank, int k, int l) {}

  /**
   * The bases.
   *
   * @param generator generator of the bases
   * @param seed seed of the bases that are drawn
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

  /**
   * Whether training rounds the coefficients to those of the file (paper, section 3.2). LoRA's
   * coefficients are the elements of its factors.
   *
   * @param bits width of the file's codes; 0 if training does not round
   * @param from share of the steps before the first one that rounds, from 0 to below 1
   */
  public record Rounding(int bits, double from) {
    /** Training does not round. */
    public static final Rounding NONE = new Rounding(0, 0);

    /**
     * Returns the rounding of all steps.
     *
     * @param bits width of the file's codes; 0 if training does not round
     * @return the rounding
     */
    public static Rounding always(int bits) {
      return new Rounding(bits, 0);
    }

    /**
     * Returns the width of the codes that a step computes with.
     *
     * @param step number of the step, from 1
     * @param steps number of steps of the run
     * @return bits; a width that makes no difference to training if the step does not round
     */
    public int bits(long step, long steps) {
      return bits == 0 || step <= from * steps ? BasisSide.TRAINING_BITS : bits;
    }

    /** Returns the width of the first step's codes. */
    int firstBits() {
      return from == 0 && bits != 0 ? bits : BasisSide.TRAINING_BITS;
    }
  }
}
