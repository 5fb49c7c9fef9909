package dev.nola.trainer.worker;

import dev.nola.api.attestation.Difference;
import dev.nola.api.attestation.Nonce;
import dev.nola.api.attestation.Outcome;
import dev.nola.api.attestation.Proof;
import dev.nola.api.attestation.Reconstruction;
import dev.nola.digest.Sha256;
import dev.nola.format.AdapterException;
import dev.nola.format.AdapterFile;
import dev.nola.format.AdapterTooNewException;
import dev.nola.format.AdapterTooOldException;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.format.UnsupportedGeneratorException;
import dev.nola.gpu.CudaBackend;
import dev.nola.gpu.CudaException;
import dev.nola.reconstruct.Backend;
import dev.nola.reconstruct.Budget;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.ReconstructionDigest;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Reconstructs files and describes the result for attestations, on the caller's thread. */
final class Verifier {
  private final Backends backends;
  private final MachineDescription machine;
  private final Budget budget;

  /** Thrown when this worker cannot reconstruct a file, and so attests nothing. */
  static final class UnsupportedException extends Exception {
    UnsupportedException(AdapterException cause) {
      super(cause.getMessage(), cause);
    }
  }

  Verifier(Backends backends, MachineDescription machine, Budget budget) {
    this.backends = backends;
    this.machine = machine;
    this.budget = budget;
  }

  /**
   * Reads a file.
   *
   * @throws UnsupportedException if it is of another version of the format, or of a generator that
   *     is not known here
   * @throws AdapterException if it is refused for another reason
   */
  static AdapterFile read(byte[] bytes) throws UnsupportedException, AdapterException {
    try {
      return AdapterFile.read(bytes);
    } catch (UnsupportedGeneratorException | AdapterTooNewException | AdapterTooOldException e) {
      throw new UnsupportedException(e);
    }
  }

  /** Returns whether this process has a backend. */
  boolean has(String backend) {
    return backends.names().contains(backend);
  }

  /** Says that this machine lacks a backend which it had when it took a job. */
  static String missing(String backend) {
    return "backend %s not available on this worker; check the worker's log, and restart it"
        .formatted(backend);
  }

  /**
   * Reconstructs a file.
   *
   * @param file the file
   * @param backend name of the backend
   * @param nonce nonce of the attestation
   * @return what an attestation says
   * @throws LimitExceededException if that would exceed the budget
   */
  Reconstruction reconstruct(AdapterFile file, String backend, Nonce nonce)
      throws LimitExceededException {
    Backend reconstructor = backends.get(backend).withBudget(budget);
    Proof proof = Proof.of(file, reconstructor.open(file.adapter()), nonce);
    boolean match = proof.digest().root().equals(file.reconstructionDigest());
    return new Reconstruction(
        match ? Outcome.MATCH : Outcome.MISMATCH,
        backend,
        proof.digest().root(),
        proof.leaves(),
        nonce,
        proof.proof(),
        match ? null : difference(file, reconstructor, proof.digest().layers()),
        machine.worker(),
        machine.host(),
        machine.environment(reconstructor));
  }

  /**
   * Takes note of a GPU's failure.
   *
   * @return whether the GPU cannot be used any more by this process, which then has no backend of
   *     it
   */
  boolean isLost(CudaException failure) {
    if (failure.reason() != CudaException.Reason.CONTEXT_LOST) {
      return false;
    }
    backends.remove(CudaBackend.NAME);
    return true;
  }

  /** Returns the first element that differs on the scalar backend, or null if all are equal. */
  private @Nullable Difference difference(AdapterFile file, Backend backend, List<Sha256> leaves)
      throws LimitExceededException {
    Function<Layer, Factors> scalar =
        backends.get(Backends.SCALAR).withBudget(budget).open(file.adapter());
    Function<Layer, Factors> other = backend.open(file.adapter());
    List<Layer> layers = file.adapter().layers();
    for (int i = 0; i < layers.size(); i++) {
      Factors expected = scalar.apply(layers.get(i));
      if (ReconstructionDigest.leaf(expected).equals(leaves.get(i))) {
        continue;
      }
      Factors actual = other.apply(layers.get(i));
      String tensor = layers.get(i).tensor();
      Difference difference = difference(tensor, "A", expected.a(), actual.a());
      if (difference == null) {
        difference = difference(tensor, "B", expected.b(), actual.b());
      }
      if (difference != null) {
        return difference;
      }
    }
    return null;
  }

  private static @Nullable Difference difference(
      String tensor, String side, float @Nullable [] expected, float @Nullable [] actual) {
    if (expected == null || actual == null) {
      return null;
    }
    for (int e = 0; e < expected.length; e++) {
      int right = Float.floatToRawIntBits(expected[e]);
      int wrong = Float.floatToRawIntBits(actual[e]);
      if (right != wrong) {
        return new Difference(tensor, side, e, "%08x".formatted(right), "%08x".formatted(wrong));
      }
    }
    return null;
  }
}
