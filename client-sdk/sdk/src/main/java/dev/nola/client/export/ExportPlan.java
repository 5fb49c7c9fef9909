package dev.nola.client.export;

import dev.nola.client.peft.ModulePaths;
import dev.nola.format.Coefficients.Direct;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.reconstruct.Budget;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.Predicate;

/**
 * The modules that become LoRAs.
 *
 * @param modules in file order
 * @param rank r, the largest of all modules
 * @param isUniform whether all modules get this rank, those of smaller ones by zeros
 */
public record ExportPlan(List<LoraModule> modules, int rank, boolean isUniform) {
  private static final String WEIGHT = "weight";

  /**
   * Finds layers that are no LoRA of a module.
   *
   * @param wrong receives a sentence for each
   */
  static void check(List<Layer> layers, List<String> wrong) {
    layers.forEach(layer -> requireLora(layer, wrong));
  }

  /**
   * Groups layers by module.
   *
   * @param layers already {@linkplain #check checked}; at least one
   * @param paths where the loaded model has the modules
   * @param isConv1d whether a layer's weight is stored as in×out
   * @param wrong receives a sentence for each module that two tensors belong to, and for each that
   *     is too large
   */
  static ExportPlan of(
      List<Layer> layers, ModulePaths paths, Predicate<Layer> isConv1d, List<String> wrong) {
    SequencedMap<String, LoraModule> modules = new LinkedHashMap<>();
    for (Layer layer : layers) {
      String path = paths.of(ModulePaths.moduleOf(layer.tensor()));
      LoraModule module =
          modules.computeIfAbsent(
              path, key -> new LoraModule(key, new ArrayList<>(), kind(layer, isConv1d)));
      if (!module.layers().isEmpty()
          && !module.layers().getFirst().tensor().equals(layer.tensor())) {
        wrong.add(
            "%s and %s are both the weight of %s"
                .formatted(module.layers().getFirst().tensor(), layer.tensor(), path));
      }
      module.layers().add(layer);
    }
    long rank = modules.values().stream().mapToLong(LoraModule::rank).max().orElseThrow();
    for (LoraModule module : modules.values()) {
      long elements = Math.max(module.rows(), module.cols()) * rank;
      if (elements > Budget.MAX_ARRAY) {
        wrong.add(
            "%s: a factor of rank %d has %d elements; limit is %d"
                .formatted(module.path(), rank, elements, Budget.MAX_ARRAY));
      }
    }
    return new ExportPlan(List.copyOf(modules.values()), (int) rank, false);
  }

  /**
   * Returns the plan with one rank for all modules.
   *
   * @return the plan with the largest rank for each
   */
  public ExportPlan uniform() {
    return new ExportPlan(modules, rank, true);
  }

  /**
   * Returns the rank of a module.
   *
   * @param module one of the plan's
   * @return the rank of its factors
   */
  public int rankOf(LoraModule module) {
    return isUniform ? rank : (int) module.rank();
  }

  /**
   * Returns the size of a module's two factors.
   *
   * @param module one of the plan's
   * @param dtype the type of the factors
   * @return bytes
   */
  public long bytesOf(LoraModule module, DType dtype) {
    return (long) rankOf(module) * dtype.bytes() * ((long) module.in() + module.out());
  }

  /**
   * Returns the size of all factors.
   *
   * @param dtype the type of the factors
   * @return bytes
   */
  public long bytes(DType dtype) {
    return modules.stream().mapToLong(module -> bytesOf(module, dtype)).sum();
  }

  private static LoraModule.Kind kind(Layer layer, Predicate<Layer> isConv1d) {
    return ModulePaths.isWordEmbedding(ModulePaths.moduleOf(layer.tensor()))
        ? LoraModule.Kind.EMBEDDING
        : isConv1d.test(layer) ? LoraModule.Kind.CONV1D : LoraModule.Kind.LINEAR;
  }

  private static void requireLora(Layer layer, List<String> wrong) {
    String module = ModulePaths.moduleOf(layer.tensor());
    if (layer.coefficients() instanceof Direct) {
      wrong.add(layer.tensor() + ": is in the direct form, which has no low-rank factors");
    } else if (layer.shape().size() == 3 && !ModulePaths.lastPart(layer.tensor()).equals(WEIGHT)) {
      wrong.add(
          "%s %s: is a parameter of a module, which PEFT adapts by target_parameters; the export cannot write that"
              .formatted(layer.tensor(), layer.shape()));
    } else if (!LoraModule.isLowRankOfMatrix(layer)) {
      wrong.add(
          "%s %s: is viewed as %d×%d, so its factors do not fit the weight matrix of a linear module"
              .formatted(layer.tensor(), layer.shape(), layer.rows(), layer.cols()));
    } else if (module.isEmpty() || !ModulePaths.lastPart(layer.tensor()).equals(WEIGHT)) {
      wrong.add(layer.tensor() + ": is not the weight of a module");
    } else if (ModulePaths.isOtherEmbedding(module)) {
      wrong.add(layer.tensor() + ": is an embedding, not a linear module");
    }
  }
}
