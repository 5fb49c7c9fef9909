/**
 * Models as functions of their weights, in tensor operations that have gradients: the Llama family,
 * BERT encoders and a plain MLP, over one library of blocks ({@link
 * dev.nola.trainer.model.Blocks}). How a weight is trained is not their business: they ask {@link
 * dev.nola.trainer.model.Weights} to multiply by it.
 */
@NullMarked
package dev.nola.trainer.model;

import org.jspecify.annotations.NullMarked;
