package dev.nola.reconstruct;

import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.DigestMismatchException;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import java.util.function.Function;

/**
 * An implementation that reconstructs adapters: a kernel on the CPU ({@link Reconstructor}) or a
 * GPU. All compute the same bits.
 */
public interface Backend {
  /**
   * Returns the name that messages and attestations use.
   *
   * @return such as {@code scalar}
   */
  String name();

  /**
   * Returns a copy with another budget.
   *
   * @param budget limits each adapter
   * @return the copy
   */
  Backend withBudget(Budget budget);

  /**
   * Opens an adapter for reconstruction, layer by layer, on the caller's thread. The caller holds
   * one layer at a time.
   *
   * @param adapter the adapter
   * @return reconstructs one of its layers
   * @throws LimitExceededException if a layer, or the work for all of them, would exceed the
   *     budget; nothing is computed then
   */
  Function<Layer, Factors> open(Adapter adapter) throws LimitExceededException;

  /**
   * Computes the digest tree of an adapter's reconstruction (SPEC.md section 8).
   *
   * @param adapter the adapter
   * @return its digest tree
   * @throws LimitExceededException if it would exceed the budget; nothing is computed then
   */
  ReconstructionDigest digest(Adapter adapter) throws LimitExceededException;

  /**
   * Reconstructs a file's adapter and verifies its digest.
   *
   * @param file the file
   * @return the digest tree, whose root is the file's
   * @throws DigestMismatchException if the digest is not the file's
   * @throws LimitExceededException if reconstruction would exceed the budget
   */
  default ReconstructionDigest verify(AdapterFile file)
      throws DigestMismatchException, LimitExceededException {
    ReconstructionDigest actual = digest(file.adapter());
    file.requireDigest(actual.root());
    return actual;
  }
}
