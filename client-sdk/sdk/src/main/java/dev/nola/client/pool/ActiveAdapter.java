package dev.nola.client.pool;

import dev.nola.format.Adapter;
import dev.nola.format.DenseTensor;
import dev.nola.reconstruct.Factors;
import java.util.List;

/**
 * An adapter with its factors. It belongs to whoever has it and stays as it is for as long as it is
 * reachable, whatever the pool evicts, removes or replaces; there is nothing to close. Its arrays
 * are shared with everyone else who has it: they must not be changed.
 *
 * @param adapter layers, dense tensors, metadata
 * @param factors of {@code adapter.layers()}, in that order
 */
public record ActiveAdapter(Adapter adapter, List<Factors> factors) {
  /** Copies the list, not the arrays. */
  public ActiveAdapter {
    factors = List.copyOf(factors);
  }

  /**
   * Returns the size of all factors and dense tensors, which counts towards the pool's bound.
   *
   * @return the size in bytes
   */
  public long bytes() {
    long elements = 0;
    for (Factors layer : factors) {
      float[] b = layer.b();
      elements += layer.a().length + (b == null ? 0 : b.length);
    }
    long dense = 0;
    for (DenseTensor tensor : adapter.dense()) {
      dense += tensor.data().byteSize();
    }
    return elements * Float.BYTES + dense;
  }
}
