package dev.nola.trainer.model;

import ai.djl.ndarray.NDArray;

/**
 * A network of blocks, one after the other, between an embedding and an output: every block takes
 * hidden states and returns others of the same shape.
 */
public interface Transformer extends Network {
  /**
   * Returns the number of blocks.
   *
   * @return at least 1
   */
  int blocks();

  /**
   * Computes what the first block takes.
   *
   * @param input texts, or images
   * @param weights weights of the model
   * @return hidden states, B×T×d
   */
  NDArray embed(Input input, Weights weights);

  /**
   * Computes a block.
   *
   * @param index number of the block, from 0
   * @param x hidden states, B×T×d; arrays of the block are made by its manager
   * @param input texts, or images
   * @param weights weights of the model
   * @return hidden states, B×T×d
   */
  NDArray block(int index, NDArray x, Input input, Weights weights);

  /**
   * Computes what follows the last block.
   *
   * @param x hidden states, B×T×d
   * @param input texts, or images
   * @param weights weights of the model
   * @return logits, as {@link #logits}
   */
  NDArray output(NDArray x, Input input, Weights weights);

  /**
   * Computes what a classifier sees of the last hidden states.
   *
   * @param x hidden states, B×T×d
   * @param input texts, or images
   * @param weights weights of the model
   * @return B×d
   * @throws UnsupportedOperationException if the network has no head
   */
  default NDArray pooled(NDArray x, Input input, Weights weights) {
    throw new UnsupportedOperationException("network has no head");
  }

  /**
   * Computes a block, and closes all its arrays but the result: what a backward pass needs of them,
   * PyTorch itself keeps.
   *
   * @param index number of the block, from 0
   * @param x hidden states, B×T×d; stays open
   * @param input texts, or images
   * @param weights weights of the model
   * @return hidden states, B×T×d, owned by the manager of {@code x}
   */
  default NDArray closedBlock(int index, NDArray x, Input input, Weights weights) {
    return Autograd.inScope(
        x,
        states -> {
          NDArray y = block(index, states, input, weights);
          input.keep(index);
          return y;
        });
  }

  /**
   * Computes the hidden states after the last block.
   *
   * @param input texts, or images
   * @param weights weights of the model
   * @return hidden states, B×T×d
   */
  default NDArray hidden(Input input, Weights weights) {
    NDArray x = embed(input, weights);
    for (int i = 0; i < blocks(); i++) {
      try (NDArray previous = x) {
        x = closedBlock(i, previous, input, weights);
      }
    }
    return x;
  }

  @Override
  default NDArray features(Input input, Weights weights) {
    return pooled(hidden(input, weights), input, weights);
  }

  @Override
  default NDArray logits(Input input, Weights weights) {
    return output(hidden(input, weights), input, weights);
  }
}
