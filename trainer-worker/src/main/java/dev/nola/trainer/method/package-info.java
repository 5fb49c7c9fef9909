/**
 * How a model is trained: which numbers, and what they make of its weights. A {@link
 * dev.nola.trainer.method.Method} chooses an {@link dev.nola.trainer.method.Adaptation} for every
 * target; {@link dev.nola.trainer.method.AdaptedWeights} puts them between the model and its base.
 *
 * <p>All that is trained lies in plain arrays ({@link dev.nola.trainer.method.Parameter}). Of NOLA
 * these are the coefficients; in each step format-spec's kernels make the factors of them, which
 * are the leaves that PyTorch computes gradients for, and take the gradients back through the same
 * bases. No basis is ever stored.
 */
@NullMarked
package dev.nola.trainer.method;

import org.jspecify.annotations.NullMarked;
