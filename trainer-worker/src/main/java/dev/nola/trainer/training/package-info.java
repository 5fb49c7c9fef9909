/**
 * The loop: batches, gradients, AdamW, evaluation, checkpoints. Everything that a run depends on is
 * in its recipe, its parameters and the number of the step, so that a run can go on from any
 * checkpoint to the same bytes.
 */
@NullMarked
package dev.nola.trainer.training;

import org.jspecify.annotations.NullMarked;
