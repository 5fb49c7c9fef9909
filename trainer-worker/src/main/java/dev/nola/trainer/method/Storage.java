package dev.nola.trainer.method;

import dev.nola.format.DType;

/**
 * How an adapter file stores what was trained.
 *
 * @param bits width of the codes of coefficients, LoRA's elements among them, 1 to 16 bits
 * @param denseType element type of the tensors that are stored whole
 */
public record Storage(int bits, DType denseType) {}
