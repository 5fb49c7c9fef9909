package dev.nola.trainer.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.kernel.Kernel;
import dev.nola.trainer.model.BaseModel;
import dev.nola.trainer.model.Tensors;
import dev.nola.trainer.model.Weights;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/**
 * The weights of a model in training: those of the base, some of them adapted. Only one step at a
 * time can be in progress.
 */
public final class AdaptedWeights implements Weights {
  private final BaseModel base;
  private final SequencedMap<String, Adaptation> adaptations = new LinkedHashMap<>();
  private final Kernel kernel;

  /**
   * Combines a base with adaptations.
   *
   * @param base the base model
   * @param adaptations the trained part of each tensor that has one
   * @param kernel kernel that computes factors, and the coefficients' gradients from theirs
   */
  public AdaptedWeights(BaseModel base, Collection<Adaptation> adaptations, Kernel kernel) {
    this.base = base;
    this.kernel = kernel;
    adaptations.forEach(adaptation -> this.adaptations.put(adaptation.tensor(), adaptation));
  }

  /**
   * Returns all that is trained.
   *
   * @return the parameters of all adaptations, in a fixed order
   */
  public List<Parameter> parameters() {
    return adaptations.values().stream()
        .flatMap(adaptation -> adaptation.parameters().stream())
        .toList();
  }

  /**
   * Returns the trained part of each tensor that has one.
   *
   * @return an unmodifiable view
   */
  public Collection<Adaptation> adaptations() {
    return Collections.unmodifiableCollection(adaptations.values());
  }

  /** Computes values from the parameters; needed once after each change of them. */
  public void prepare() {
    adaptations.values().parallelStream().forEach(adaptation -> adaptation.prepare(kernel));
  }

  /**
   * Makes the arrays of a step.
   *
   * @param step manager that owns them
   * @param record whether {@link #collect} will be called
   */
  public void begin(NDManager step, boolean record) {
    adaptations.values().forEach(adaptation -> adaptation.begin(step, record));
  }

  /** Adds what a backward pass has computed to the parameters' gradients. */
  public void collect() {
    adaptations.values().forEach(Adaptation::collect);
    adaptations.values().parallelStream().forEach(adaptation -> adaptation.backward(kernel));
  }

  @Override
  public boolean has(String name) {
    return adaptations.containsKey(name) || base.tensor(name) != null;
  }

  @Override
  public NDArray tensor(String name) {
    Adaptation adaptation = adaptations.get(name);
    NDArray stored = base.tensor(name);
    if (adaptation != null) {
      return adaptation.tensor(stored);
    }
    if (stored == null) {
      throw new IllegalArgumentException("the base model has no tensor " + name);
    }
    return stored;
  }

  @Override
  public NDArray linear(NDArray x, String module) {
    String weight = module + ".weight";
    NDArray bias = has(module + ".bias") ? tensor(module + ".bias") : null;
    Adaptation adaptation = adaptations.get(weight);
    return adaptation != null
        ? adaptation.linear(x, base.tensor(weight), bias)
        : Tensors.linear(x, tensor(weight), bias);
  }
}
