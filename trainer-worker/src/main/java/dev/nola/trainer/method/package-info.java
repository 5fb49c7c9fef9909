/**
 * How a model is trained: which parameters it has, and how its weights follow from them. A {@link
 * dev.nola.trainer.method.Method} chooses an {@link dev.nola.trainer.method.Adaptation} for every
 * target; {@link dev.nola.trainer.method.AdaptedWeights} combines them with the base model.
 *
 * <p>All parameters are plain arrays ({@link dev.nola.trainer.method.Parameter}). NOLA's are the
 * coefficients: in each step format-spec's kernels compute the factors from them, PyTorch computes
 * the factors' gradients, and the kernels turn these into the coefficients' through the same bases.
 * No basis is stored, unless a recipe asks for it. LoRA is NOLA with the identity basis, whose
 * coefficients are the factors' elements, so that it is quantized, trained and stored alike.
 */
@NullMarked
package dev.nola.trainer.method;

import org.jspecify.annotations.NullMarked;
