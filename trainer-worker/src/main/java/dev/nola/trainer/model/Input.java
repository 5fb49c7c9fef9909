package dev.nola.trainer.model;

import ai.djl.ndarray.NDArray;

/** Input of a model. */
public sealed interface Input permits Batch, Input.Numbers {
  /** What a model reads. */
  enum Kind {
    /** Token ids. */
    TEXTS,
    /** Pixels. */
    IMAGES,
    /** A vector of numbers for each example. */
    FEATURES
  }

  /**
   * Numbers.
   *
   * @param values features, B×F, or images, B×3×height×width (f32)
   */
  record Numbers(NDArray values) implements Input {
    @Override
    public NDArray numbers() {
      return values;
    }
  }

  /** Returns the texts. */
  default Batch texts() {
    throw new IllegalArgumentException("the model reads texts, but was given numbers");
  }

  /** Returns features or images. */
  default NDArray numbers() {
    throw new IllegalArgumentException("the model reads numbers, but was given texts");
  }

  /**
   * Keeps what a block of a transformer has added to a cache.
   *
   * @param block number of the block, from 0
   */
  default void keep(int block) {}
}
