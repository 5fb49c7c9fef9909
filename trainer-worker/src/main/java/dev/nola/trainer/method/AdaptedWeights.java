package dev.nola.trainer.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.kernel.Kernel;
import dev.nola.trainer.model.BaseModel;
import dev.nola.trainer.model.Tensors;
import dev.nola.trainer.model.Weights;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/**
 * The weights of a model under training: the base's, and what is trained of some of them. One step
 * at a time.
 */
public final class AdaptedWeights implements Weights {
  private final BaseModel base;
  private final SequencedMap<String, Adaptation> adaptations = new LinkedHashMap<>();
  private final Kernel kernel;

  /**
   * @param kernel makes factors and takes gradients back
   */
  public AdaptedWeights(BaseModel base, Collection<Adaptation> adaptations, Kernel kernel) {
    this.base = base;
    this.kernel = kernel;
    adaptations.forEach(adaptation -> this.adaptations.put(adaptation.tensor(), adaptation));
  }

  /** All that is trained, in a fixed order. */
  public List<Parameter> parameters() {
    return adaptations.values().stream()
        .flatMap(adaptation -> adaptation.parameters().stream())
        .toList();
  }

  /** What is trained, by tensor. */
  public Collection<Adaptation> adaptations() {
    return adaptations.values();
  }

  /** Computes what the parameters stand for; once after each change of them. */
  public void prepare() {
    adaptations.values().parallelStream().forEach(adaptation -> adaptation.prepare(kernel));
  }

  /**
   * Makes the arrays of a step.
   *
   * @param step owns them
   * @param record whether {@link #collect} will be called
   */
  public void begin(NDManager step, boolean record) {
    adaptations.values().forEach(adaptation -> adaptation.begin(step, record));
  }

  /** After a backward pass: adds to the parameters' gradients. */
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
