package dev.nola.trainer.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import dev.nola.format.Coefficients;
import dev.nola.format.Layer;
import dev.nola.format.MatrixView;
import dev.nola.format.Slice;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A tensor of a model, or a part of one, that is adapted.
 *
 * @param tensor name of the tensor in the model
 * @param shape size of each of its dimensions
 * @param slice the part; null for the whole tensor
 * @param view the matrix R×C that ΔW is computed as
 * @param inputs number of inputs of an output, which initial values are scaled by
 */
record Target(
    String tensor, List<Integer> shape, @Nullable Slice slice, MatrixView view, int inputs) {
  /** Returns what a layer of an adapter file adapts; nothing is initialized by it. */
  static Target of(String tensor, Layer layer) {
    return new Target(
        tensor, layer.shape(), layer.slice(), new MatrixView(layer.rows(), layer.cols()), 0);
  }

  int rows() {
    return view.rows();
  }

  int cols() {
    return view.cols();
  }

  /** Returns a name that no other target of a model has. */
  String label() {
    return slice == null ? tensor : "%s[%d:%d]".formatted(tensor, slice.start(), slice.end());
  }

  /** Returns whether ΔW has the shape of the whole tensor, out×in. */
  boolean isMatrix() {
    return slice == null && shape.equals(List.of(view.rows(), view.cols()));
  }

  /**
   * Adds ΔW where it belongs.
   *
   * @param delta ΔW, R×C
   * @param base the tensor, or null for 0
   * @return the adapted tensor, owned by the manager of {@code delta}
   */
  NDArray add(NDArray delta, @Nullable NDArray base) {
    NDArray placed = isMatrix() ? delta : placed(delta.reshape(shape(partShape())));
    return base == null ? placed : placed.add(base);
  }

  /** Returns whether ΔW has the shape of the whole matrix, or of some of its columns. */
  boolean isColumns() {
    return shape.size() == 2
        && (slice == null || slice.dim() == 1)
        && partShape().equals(List.of(view.rows(), view.cols()));
  }

  /** Adds the products with the columns of ΔW, …×C, to those with all columns. */
  NDArray addColumns(NDArray part, NDArray all) {
    int last = part.getShape().dimension() - 1;
    return (slice == null ? part : surrounded(part, last, slice)).add(all);
  }

  /** Surrounds a part with zeros. */
  private NDArray placed(NDArray part) {
    return slice == null ? part : surrounded(part, slice.dim(), slice);
  }

  private NDArray surrounded(NDArray part, int dim, Slice place) {
    NDList parts = new NDList();
    addZeros(parts, part, dim, place.start());
    parts.add(part);
    addZeros(parts, part, dim, shape.get(place.dim()) - place.end());
    return NDArrays.concat(parts, dim);
  }

  private static void addZeros(NDList parts, NDArray part, int dim, int length) {
    if (length > 0) {
      long[] lengths = part.getShape().getShape().clone();
      lengths[dim] = length;
      parts.add(part.getManager().zeros(new Shape(lengths)));
    }
  }

  private List<Integer> partShape() {
    return slice == null ? shape : withLength(slice, slice.length());
  }

  private List<Integer> withLength(Slice part, int length) {
    List<Integer> lengths = new ArrayList<>(shape);
    lengths.set(part.dim(), length);
    return lengths;
  }

  private static Shape shape(List<Integer> lengths) {
    return new Shape(lengths.stream().mapToLong(Integer::longValue).toArray());
  }

  /** Returns the layer as a file stores it. */
  Layer toLayer(String storedName, int stream, float scale, Coefficients coefficients) {
    return new Layer(
        storedName, shape, slice, view.rows(), view.cols(), stream, scale, coefficients);
  }
}
