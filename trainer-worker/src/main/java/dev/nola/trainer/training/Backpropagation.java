package dev.nola.trainer.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.trainer.data.Example;
import dev.nola.trainer.data.Minibatch;
import dev.nola.trainer.method.AdaptedWeights;
import dev.nola.trainer.model.Autograd;
import dev.nola.trainer.model.Input;
import dev.nola.trainer.model.Network;
import dev.nola.trainer.model.Tensors;
import dev.nola.trainer.model.Transformer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Computes gradients of the loss.
 *
 * <p>With gradient checkpointing (Chen et al., 2016), the forward pass keeps of each block its
 * input alone. The backward pass then goes down block by block: it computes the block again, this
 * time recorded, and from the gradient of its output that of its input. At any time the arrays of
 * one block are in memory, for one more forward pass in time. The operations, and so the gradients'
 * bits, are those of the whole pass.
 *
 * @param network the model
 * @param weights its weights, of which the adapted ones are trained
 * @param checkpointing whether the blocks of a transformer are computed again
 * @param labelSmoothing probability that the loss spreads over all tokens or classes, from 0 to
 *     below 1
 */
record Backpropagation(
    Network network, AdaptedWeights weights, boolean checkpointing, double labelSmoothing) {
  /**
   * Checks that there are blocks to compute again.
   *
   * @throws IllegalArgumentException if the network has none
   */
  Backpropagation {
    if (checkpointing && !(network instanceof Transformer)) {
      throw new IllegalArgumentException(
          "run.gradientCheckpointing=true does not apply to this model; only to transformers");
    }
  }

  /**
   * Adds the gradients of some examples' share of the loss to the parameters'.
   *
   * @param examples the examples, at least one
   * @param count number of targets that the loss is the mean over
   * @return the share
   * @throws IOException if the file of an image cannot be read or decoded
   */
  double add(List<Example> examples, long count) throws IOException {
    try (NDManager step = Tensors.newManager()) {
      Tensors.recordGradients(true);
      weights.begin(step, true);
      Minibatch batch = Minibatch.of(step, examples);
      double loss =
          checkpointing && network instanceof Transformer transformer
              ? byBlocks(transformer, batch, count)
              : whole(batch, count);
      Tensors.recordGradients(false);
      weights.collect();
      return loss;
    }
  }

  private double whole(Minibatch batch, long count) {
    NDArray loss;
    try (NDArray logits = network.logits(batch.batch(), weights)) {
      loss = Loss.mean(logits, batch, count, labelSmoothing);
    }
    Tensors.backward(loss);
    return loss.getFloat();
  }

  private double byBlocks(Transformer transformer, Minibatch minibatch, long count) {
    Input batch = minibatch.batch();
    int blocks = transformer.blocks();
    List<NDArray> inputs = new ArrayList<>();
    Tensors.recordGradients(false);
    NDArray x = transformer.embed(batch, weights);
    // Before the first part that is trained, gradients are not needed.
    int firstTrained = weights.usesTrained() ? -1 : blocks;
    for (int i = 0; i < blocks; i++) {
      inputs.add(x);
      x = transformer.closedBlock(i, x, batch, weights);
      if (firstTrained == blocks && weights.usesTrained()) {
        firstTrained = i;
      }
    }
    Tensors.recordGradients(true);
    x.setRequiresGradient(firstTrained < blocks);
    NDArray loss =
        Autograd.inScope(
            x,
            input ->
                Loss.mean(
                    transformer.output(input, batch, weights), minibatch, count, labelSmoothing));
    Tensors.backward(loss);
    for (int i = blocks - 1; i >= Math.max(0, firstTrained); i--) {
      NDArray output = x;
      x = inputs.get(i);
      x.setRequiresGradient(i > firstTrained);
      NDArray again = transformer.closedBlock(i, x, batch, weights);
      backward(again, output);
    }
    if (firstTrained < 0) {
      backward(transformer.embed(batch, weights), x);
    }
    return loss.getFloat();
  }

  /** Continues from the gradient of an array to what it was computed from; closes both. */
  private static void backward(NDArray recorded, NDArray leaf) {
    try (recorded;
        leaf;
        NDArray gradient = leaf.getGradient()) {
      Autograd.backward(recorded, gradient);
    }
  }
}
