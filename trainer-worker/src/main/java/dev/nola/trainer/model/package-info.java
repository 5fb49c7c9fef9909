/**
 * Models as functions of their weights, in tensor operations that have gradients: the Llama family,
 * BERT encoders and a plain MLP, over one library of blocks ({@link
 * dev.nola.trainer.model.Blocks}). They do not know how a weight is trained: {@link
 * dev.nola.trainer.model.Weights} multiplies by it.
 */
@NullMarked
package dev.nola.trainer.model;

import org.jspecify.annotations.NullMarked;
