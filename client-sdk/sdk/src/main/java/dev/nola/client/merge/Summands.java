package dev.nola.client.merge;

import dev.nola.format.AdapterFile;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.Reconstructor;
import dev.nola.reconstruct.WeightedDelta;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The weighted adapters that a merge adds to the base model.
 *
 * @param adapters reconstruct a layer each, in the order in which they are added
 * @param weights w of each adapter in W + w·ΔW
 * @param gpu holds the same adapters on a GPU; null to merge on the CPU
 */
record Summands(
    List<Function<Layer, Factors>> adapters, List<Double> weights, @Nullable GpuMerge gpu) {
  /**
   * Opens adapters.
   *
   * @param threads each of which may hold a tensor, with a layer of every adapter
   * @throws LimitExceededException if an adapter exceeds what is reconstructed
   */
  static Summands open(
      List<AdapterFile> files,
      List<Double> weights,
      Reconstructor reconstructor,
      int threads,
      @Nullable GpuMerge gpu)
      throws LimitExceededException {
    List<Function<Layer, Factors>> adapters = new ArrayList<>();
    for (AdapterFile file : files) {
      adapters.add(reconstructor.open(file.adapter(), threads * files.size()));
    }
    return new Summands(adapters, weights, gpu);
  }

  /** Reconstructs what is added to a tensor. */
  List<WeightedDelta> deltas(List<Plan.Addend> addends) {
    return addends.stream()
        .map(
            addend ->
                new WeightedDelta(
                    adapters.get(addend.adapter()).apply(addend.layer()),
                    weights.get(addend.adapter())))
        .toList();
  }
}
