package dev.nola.client.export;

import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.Layer;
import dev.nola.format.Slice;
import java.util.List;

/**
 * A module that becomes a LoRA.
 *
 * @param path where it is in the loaded model, such as {@code model.layers.0.self_attn.q_proj}
 * @param layers the layers of its weight, of two dimensions: one, or several of disjoint slices
 * @param kind which module of PyTorch it is
 */
public record LoraModule(String path, List<Layer> layers, Kind kind) {
  /** The kinds of modules that PEFT adapts by two factors. */
  public enum Kind {
    /** With a weight of out×in. */
    LINEAR,
    /** With a weight of in×out. */
    CONV1D,
    /** With a weight of words×out. */
    EMBEDDING
  }

  /** Returns whether the weight is stored as in×out, not out×in. */
  boolean isTransposed() {
    return kind != Kind.LINEAR;
  }

  /**
   * Returns the number of inputs.
   *
   * @return in; of an embedding the number of words
   */
  public int in() {
    return isTransposed() ? rows() : cols();
  }

  /**
   * Returns the number of outputs.
   *
   * @return out
   */
  public int out() {
    return isTransposed() ? cols() : rows();
  }

  /** Rows of the stored weight. */
  int rows() {
    return layers.getFirst().shape().getFirst();
  }

  /** Columns of the stored weight. */
  int cols() {
    return layers.getFirst().shape().getLast();
  }

  /** The sum of the layers' ranks. */
  long rank() {
    return layers.stream().mapToLong(LoraModule::rank).sum();
  }

  /** Whether a layer is a product of two factors in the shape in which its weight is stored. */
  static boolean isLowRankOfMatrix(Layer layer) {
    return layer.coefficients() instanceof LowRank
        && layer.shape().size() == 2
        && layer.cols() == adaptedCols(layer);
  }

  private static long rank(Layer layer) {
    return layer.coefficients() instanceof LowRank lowRank ? lowRank.rank() : 0;
  }

  private static int adaptedCols(Layer layer) {
    Slice slice = layer.slice();
    return slice != null && slice.dim() == 1 ? slice.length() : layer.shape().getLast();
  }
}
