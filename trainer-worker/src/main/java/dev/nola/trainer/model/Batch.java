package dev.nola.trainer.model;

import ai.djl.ndarray.NDArray;

/**
 * Input of a model.
 *
 * @param inputs token ids, B×T (i64), or features, B×F (f32)
 * @param mask B×T (f32): 1 for a token, 0 for padding; ones where nothing is padded
 */
public record Batch(NDArray inputs, NDArray mask) {}
