package dev.nola.registry.catalog;

import dev.nola.api.attestation.Nonce;
import dev.nola.api.attestation.Proof;
import dev.nola.digest.Sha256;
import dev.nola.format.AdapterException;
import dev.nola.format.AdapterFile;
import dev.nola.format.DigestMismatchException;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.kernel.Kernels;
import dev.nola.reconstruct.Budget;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.Reconstructor;
import dev.nola.registry.blobs.BlobReader;
import dev.nola.registry.blobs.BlobStore;
import dev.nola.registry.web.Refusal;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.stereotype.Component;

/** Reads adapter files, and reconstructs those that are within the budget. */
@Component
@EnableConfigurationProperties(ExaminationSettings.class)
public class AdapterExaminer {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final Reconstructor reconstructor;
  private final BlobReader blobs;

  /** Each holds a file and its factors in memory. */
  private final Semaphore turns;

  AdapterExaminer(ExaminationSettings settings, BlobReader blobs) {
    this.reconstructor =
        Reconstructor.standard()
            .withThreads(Runtime.getRuntime().availableProcessors())
            .withBudget(new Budget(settings.memoryBytes(), settings.additions()));
    this.blobs = blobs;
    this.turns = new Semaphore(settings.parallel(), true);
  }

  /**
   * An adapter file that was read.
   *
   * @param file as it was read
   * @param reconstructed whether it was reconstructed to the digest that it states; false if it is
   *     above the budget
   */
  public record Examined(AdapterFile file, boolean reconstructed) {}

  /**
   * A stored adapter file that was read, with proofs of its reconstruction.
   *
   * @param file as it was read
   * @param proofs by nonce; empty if the file is above the budget
   */
  public record Proven(AdapterFile file, Map<Nonce, Proof> proofs) {
    /** Copies the map. */
    public Proven {
      proofs = Map.copyOf(proofs);
    }
  }

  /** The source of a file's bytes. */
  @FunctionalInterface
  public interface Source {
    /** Reads from the beginning. */
    InputStream open() throws IOException;
  }

  /**
   * Reads a file, and reconstructs it if that is within the budget.
   *
   * @param source of its bytes
   * @return the file
   * @throws AdapterException if the file is damaged, not readable by this version, or is not
   *     reconstructed to the digest that it states
   * @throws IOException if its bytes cannot be read
   * @throws Refusal with status 503 if too many other files are being examined
   */
  public Examined examine(Source source) throws IOException {
    acquire();
    try (InputStream bytes = source.open()) {
      AdapterFile file = AdapterFile.read(bytes.readAllBytes());
      return new Examined(file, verify(file));
    } finally {
      turns.release();
    }
  }

  /**
   * Reads a stored file, and reconstructs it for each nonce if that is within the budget.
   *
   * @param digest of the file
   * @param nonces numbers used once, one for each proof
   * @return the file and its proofs
   * @throws IOException if its bytes cannot be read, or are no longer valid
   * @throws Refusal with status 503 if too many other files are being examined, 500 if the file is
   *     missing or damaged
   */
  public Proven prove(Sha256 digest, Collection<Nonce> nonces) throws IOException {
    acquire();
    try {
      BlobStore.Blob blob = blobs.get(digest);
      try (InputStream bytes = blob.open(0, blob.size())) {
        AdapterFile file = AdapterFile.read(bytes.readAllBytes());
        return new Proven(file, proofs(file, nonces));
      }
    } finally {
      turns.release();
    }
  }

  private Map<Nonce, Proof> proofs(AdapterFile file, Collection<Nonce> nonces) {
    Function<Layer, Factors> factors;
    try {
      factors =
          reconstructor
              .withKernel(Kernels.parallel(Kernels.chosen(), ForkJoinPool.commonPool()))
              .open(file.adapter());
    } catch (LimitExceededException _) {
      return Map.of();
    }
    return Proof.of(file, factors, nonces);
  }

  private boolean verify(AdapterFile file) throws DigestMismatchException {
    try {
      reconstructor.verify(file);
      return true;
    } catch (LimitExceededException _) {
      return false;
    }
  }

  private void acquire() {
    try {
      if (turns.tryAcquire(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
        return;
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    throw Refusal.unavailable("too many adapters are being examined; try again later", PATIENCE);
  }
}
