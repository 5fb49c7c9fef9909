package dev.nola.client.merge;

import dev.nola.client.safetensors.Tensor;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.format.Slice;
import dev.nola.kernel.Kernel;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.Merge;
import dev.nola.reconstruct.MergeOverflowException;
import dev.nola.reconstruct.WeightedDelta;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Merges one tensor, a piece of whole outermost rows at a time. Layers of the same slice and view
 * go through {@link Merge} together; where adapters cut a tensor differently, each run of elements
 * that the same layers cover is merged by itself, so that every element is still rounded only once.
 */
final class TensorMerge {
  /** Elements of a run that are merged at a time where adapters cut a tensor differently. */
  private static final int RUN = 1 << 12;

  private final Kernel kernel;
  private final Tensor tensor;
  private final DType dtype;
  private final List<WeightedDelta> deltas;
  private final @Nullable List<Group> groups;

  /** Layers of one slice and view, in the order of their adapters. */
  private record Group(Part part, List<WeightedDelta> deltas) {}

  /**
   * Where a slice lies in its flattened tensor: {@code outer} times, {@code length} elements from
   * {@code start} of each {@code stride}.
   */
  private record Part(long outer, long stride, long start, long length) {
    static Part of(List<Integer> shape, @Nullable Slice slice) {
      // A tensor that is adapted whole is cut along its first dimension, as it were.
      int dim = slice == null ? 0 : slice.dim();
      long outer = 1;
      long inner = 1;
      for (int i = 0; i < shape.size(); i++) {
        if (i < dim) {
          outer *= shape.get(i);
        } else if (i > dim) {
          inner *= shape.get(i);
        }
      }
      long size = shape.get(dim);
      return slice == null
          ? new Part(1, size * inner, 0, size * inner)
          : new Part(outer, size * inner, slice.start() * inner, slice.length() * inner);
    }

    /** First element of the slice at or behind an element of the tensor, counted in the slice. */
    long indexAtOrAfter(long element) {
      long row = element / stride;
      return row * length + Math.clamp(element % stride - start, 0, length);
    }

    /** The element of the tensor that an element of the slice is. */
    long elementOf(long index) {
      return index / length * stride + start + index % length;
    }

    boolean covers(long element) {
      long offset = element % stride - start;
      return offset >= 0 && offset < length;
    }

    /** The next element after this one at which the slice begins or ends. */
    long nextEdge(long element) {
      long row = element - element % stride;
      long offset = element - row;
      return offset < start
          ? row + start
          : offset < start + length ? row + start + length : row + stride;
    }
  }

  TensorMerge(Kernel kernel, Tensor tensor, DType dtype, List<WeightedDelta> deltas) {
    this.kernel = kernel;
    this.tensor = tensor;
    this.dtype = dtype;
    this.deltas = deltas;
    List<Layer> layers = deltas.stream().map(delta -> delta.factors().layer()).toList();
    List<List<Integer>> members = groups(layers);
    this.groups =
        members == null
            ? null
            : members.stream()
                .map(
                    indexes -> {
                      Layer first = layers.get(indexes.getFirst());
                      return new Group(
                          Part.of(first.shape(), first.slice()),
                          indexes.stream().map(deltas::get).toList());
                    })
                .toList();
  }

  /**
   * Groups layers of a tensor that agree in slice and view.
   *
   * @param layers in the order of their adapters
   * @return their indexes; null if some cut the tensor, or view a part of it, differently
   */
  static @Nullable List<List<Integer>> groups(List<Layer> layers) {
    List<List<Integer>> groups = new ArrayList<>();
    for (int i = 0; i < layers.size(); i++) {
      Layer layer = layers.get(i);
      List<Integer> same = null;
      for (List<Integer> group : groups) {
        Layer other = layers.get(group.getFirst());
        if (Objects.equals(layer.slice(), other.slice()) && layer.cols() == other.cols()) {
          same = group;
        } else if (overlap(layer.slice(), other.slice())) {
          return null;
        }
      }
      if (same == null) {
        same = new ArrayList<>();
        groups.add(same);
      }
      same.add(i);
    }
    return groups;
  }

  /** Returns the element of the whole tensor that an element of a layer's slice is. */
  static long elementOf(Layer layer, long index) {
    return Part.of(layer.shape(), layer.slice()).elementOf(index);
  }

  private static boolean overlap(@Nullable Slice one, @Nullable Slice other) {
    return one == null
        || other == null
        || one.dim() != other.dim()
        || one.start() < other.end() && other.start() < one.end();
  }

  /**
   * Merges elements {@code from …} of the tensor.
   *
   * @param weights the base's elements, which are replaced by the merged ones
   * @throws MergeRefusedException if a finite weight would become infinite
   */
  void merge(long begin, MemorySegment weights) throws MergeRefusedException {
    long limit = begin + weights.byteSize() / dtype.bytes();
    if (groups == null) {
      mergeRuns(begin, limit, weights);
      return;
    }
    for (Group group : groups) {
      merge(group, begin, limit, weights);
    }
  }

  private void merge(Group group, long begin, long limit, MemorySegment weights)
      throws MergeRefusedException {
    Part part = group.part;
    long first = part.indexAtOrAfter(begin);
    long count = part.indexAtOrAfter(limit) - first;
    if (count == 0) {
      return;
    }
    if (part.outer == 1 || part.elementOf(first + count - 1) - part.elementOf(first) == count - 1) {
      long offset = (part.elementOf(first) - begin) * dtype.bytes();
      long bytes = count * dtype.bytes();
      add(group, first, weights.asSlice(offset, bytes));
      return;
    }
    MemorySegment gathered =
        MemorySegment.ofArray(new byte[Math.toIntExact(count * dtype.bytes())]);
    copyRows(
        part,
        first,
        count,
        (offset, index, bytes) ->
            MemorySegment.copy(weights, offset - begin * dtype.bytes(), gathered, index, bytes));
    add(group, first, gathered);
    copyRows(
        part,
        first,
        count,
        (offset, index, bytes) ->
            MemorySegment.copy(gathered, index, weights, offset - begin * dtype.bytes(), bytes));
  }

  @FunctionalInterface
  private interface RowCopy {
    void copy(long tensorByte, long gatheredByte, long bytes);
  }

  private void copyRows(Part part, long first, long count, RowCopy copy) {
    for (long index = first; index < first + count; ) {
      long run = Math.min(part.length - index % part.length, first + count - index);
      copy.copy(
          part.elementOf(index) * dtype.bytes(),
          (index - first) * dtype.bytes(),
          run * dtype.bytes());
      index += run;
    }
  }

  private void add(Group group, long first, MemorySegment weights) throws MergeRefusedException {
    try {
      Merge.merge(kernel, dtype, weights, weights, first, group.deltas);
    } catch (MergeOverflowException e) {
      throw overflow(tensor, dtype, group.part.elementOf(e.element()));
    }
  }

  private void mergeRuns(long begin, long limit, MemorySegment weights)
      throws MergeRefusedException {
    List<Part> parts =
        deltas.stream()
            .map(delta -> delta.factors().layer())
            .map(layer -> Part.of(layer.shape(), layer.slice()))
            .toList();
    for (long offset = begin; offset < limit; ) {
      long end = Math.min(limit, offset + RUN);
      List<Factors> covering = new ArrayList<>();
      List<Part> theirs = new ArrayList<>();
      List<Double> shares = new ArrayList<>();
      for (int i = 0; i < parts.size(); i++) {
        end = Math.min(end, parts.get(i).nextEdge(offset));
        if (parts.get(i).covers(offset)) {
          covering.add(deltas.get(i).factors());
          theirs.add(parts.get(i));
          shares.add(deltas.get(i).weight());
        }
      }
      if (!covering.isEmpty()) {
        int count = (int) (end - offset);
        double[][] values = new double[covering.size()][count];
        for (int i = 0; i < values.length; i++) {
          covering.get(i).delta(theirs.get(i).indexAtOrAfter(offset), values[i], count);
        }
        double[] multipliers = shares.stream().mapToDouble(Double::doubleValue).toArray();
        int overflow =
            kernel.merge(
                dtype,
                weights,
                weights,
                offset - begin,
                count,
                new Kernel.Summands(multipliers, values, 0));
        if (overflow >= 0) {
          throw overflow(tensor, dtype, offset + overflow);
        }
      }
      offset = end;
    }
  }

  /** Refuses a merge after which a finite weight would be infinite. */
  static MergeRefusedException overflow(Tensor tensor, DType dtype, long element) {
    return new MergeRefusedException(
        MergeRefusedException.Reason.OVERFLOW,
        "merged weight too large for %3$s: tensor %1$s, element %2$d; the adapter is for another base model, or its weight is too large"
            .formatted(tensor.name(), element, dtype));
  }
}
