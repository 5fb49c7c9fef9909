package dev.nola.trainer.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import org.jspecify.annotations.Nullable;

/**
 * Texts as token ids.
 *
 * @param inputs token ids, B×T (i64)
 * @param mask B×T (f32): 1 for a token, 0 for padding; ones where nothing is padded
 * @param positions the N tokens, numbered row by row from 0 to B·T − 1, whose successors a language
 *     model predicts (i64); null for all. The output embedding is the largest product of many
 *     models, and its logits the largest array
 * @param cache keys and values of the tokens before the inputs; null if these begin the texts
 */
public record Batch(
    NDArray inputs, NDArray mask, @Nullable NDArray positions, @Nullable KeyValueCache cache)
    implements Input {
  /**
   * Makes a batch of which all tokens have logits.
   *
   * @param inputs token ids, B×T (i64)
   * @param mask B×T (f32): 1 for a token, 0 for padding
   */
  public Batch(NDArray inputs, NDArray mask) {
    this(inputs, mask, null, null);
  }

  /**
   * Makes a batch of which some tokens have logits.
   *
   * @param inputs token ids, B×T (i64)
   * @param mask B×T (f32): 1 for a token, 0 for padding
   * @param positions numbers of these tokens, row by row from 0 to B·T − 1 (i64)
   */
  public Batch(NDArray inputs, NDArray mask, NDArray positions) {
    this(inputs, mask, positions, null);
  }

  @Override
  public Batch texts() {
    return this;
  }

  /** Returns the number of tokens before the inputs. */
  int past() {
    return cache == null ? 0 : cache.length();
  }

  /** Returns keys and values of all tokens of a block. */
  KeyValueCache.Entry remember(int block, NDArray keys, NDArray values) {
    return cache == null
        ? new KeyValueCache.Entry(keys, values)
        : cache.append(block, keys, values);
  }

  @Override
  public void keep(int block) {
    if (cache != null) {
      cache.keep(block);
    }
  }

  /**
   * Selects the hidden states of the positions.
   *
   * @param hidden B×T×d
   * @return N×d, or all of them as they are
   */
  NDArray select(NDArray hidden) {
    if (positions == null) {
      return hidden;
    }
    Shape shape = hidden.getShape();
    NDArray rows = hidden.reshape(shape.get(0) * shape.get(1), shape.get(2));
    return Tensors.embedding(positions, rows);
  }
}
