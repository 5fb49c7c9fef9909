package dev.nola.reconstruct;

import dev.nola.format.Sha256;
import java.util.List;

/**
 * The digest tree of a reconstruction (SPEC.md section 8).
 *
 * @param root what the file carries
 * @param layers leaves of the layers, in file order
 * @param dense leaves of the dense tensors, in file order
 */
public record ReconstructionDigest(Sha256 root, List<Sha256> layers, List<Sha256> dense) {
  /** Copies the lists. */
  public ReconstructionDigest {
    layers = List.copyOf(layers);
    dense = List.copyOf(dense);
  }
}
