package dev.nola.trainer.method;

import com.google.re2j.Pattern;
import dev.nola.generator.Generator;

/**
 * How targets are trained.
 *
 * @param method what is trained
 * @param targets names of the tensors to adapt, in which it is found
 * @param rank r of {@link Method#NOLA} and {@link Method#LORA}
 * @param k coefficients of side A, and of the direct form
 * @param l coefficients of side B
 * @param generator of the bases
 * @param sharedBasis whether all targets take their bases from one stream
 * @param storedBasis whether bases lie in memory, as in the paper's code, instead of being made in
 *     every step
 * @param seed of bases and initial values
 * @param scaling c: ΔW is c/√(r·in) times the normalised product of NOLA's factors, c/√in times
 *     PRANC's normalised sum, c/r times LoRA's product
 * @param quantizationAwareBits width of the codes that training already takes the coefficients for,
 *     or 0 for none
 */
public record Recipe(
    Method method,
    Pattern targets,
    int rank,
    int k,
    int l,
    Generator generator,
    boolean sharedBasis,
    boolean storedBasis,
    long seed,
    double scaling,
    int quantizationAwareBits) {
  int trainingBits() {
    return quantizationAwareBits == 0 ? BasisSide.TRAINING_BITS : quantizationAwareBits;
  }
}
