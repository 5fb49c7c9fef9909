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
import dev.nola.text.Label;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.ForkJoinPool;
import java.util.function.Function;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.stereotype.Component;

/**
 * Reads adapter files, and reconstructs those that are within the budget. Accounts take turns, and
 * each has an amount of time; what exceeds it, or would wait too long, is left to workers.
 */
@Component
@EnableConfigurationProperties(ExaminationSettings.class)
public class AdapterExaminer {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final Reconstructor reconstructor;
  private final BlobReader blobs;
  private final ExaminationSettings settings;
  private final MeterRegistry meters;

  /** Each reads a file, and holds it in memory. */
  private final FairTurns reading;

  /** Each reads and reconstructs a file, and holds it and its factors in memory. */
  private final FairTurns reconstructing;

  private final ReconstructionTime time;

  AdapterExaminer(ExaminationSettings settings, BlobReader blobs, MeterRegistry meters) {
    this.reconstructor =
        Reconstructor.standard()
            .withThreads(Runtime.getRuntime().availableProcessors())
            .withBudget(new Budget(settings.memoryBytes(), settings.additions()));
    this.blobs = blobs;
    this.settings = settings;
    this.meters = meters;
    this.reading = new FairTurns(settings.parallel());
    this.reconstructing = new FairTurns(settings.parallel());
    this.time = new ReconstructionTime(settings.timePerAccount());
    for (Reason reason : Reason.values()) {
      count(reason, 0); // there from the start, so that it can be watched
    }
  }

  /** Why a file was not reconstructed here. */
  private enum Reason {
    /** It alone exceeds the budget. */
    BUDGET,
    /** Its account's time is used up. */
    TIME,
    /** It would have waited too long behind other files. */
    BUSY
  }

  /**
   * An adapter file that was read.
   *
   * @param file as it was read
   * @param reconstructed whether it was reconstructed to the digest that it states; false if it is
   *     left to workers
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
   * Reads a file, and reconstructs it if that is within the budget, the account has time left and
   * gets a turn soon.
   *
   * @param account whose file it is
   * @param source of its bytes
   * @return the file
   * @throws AdapterException if the file is damaged, not readable by this version, or is not
   *     reconstructed to the digest that it states
   * @throws IOException if its bytes cannot be read
   * @throws Refusal with status 503 if too many other files are being read
   */
  public Examined examine(String account, Source source) throws IOException {
    if (!time.isLeft(account)) {
      count(Reason.TIME, 1);
      return new Examined(read(account, source), false);
    }
    if (!acquire(reconstructing, account, settings.maxWait())) {
      count(Reason.BUSY, 1);
      return new Examined(read(account, source), false);
    }
    try (InputStream bytes = source.open()) {
      AdapterFile file = AdapterFile.read(bytes.readAllBytes());
      if (!time.isLeft(account)) { // used up by those that it waited for
        count(Reason.TIME, 1);
        return new Examined(file, false);
      }
      long begin = System.nanoTime();
      try {
        return new Examined(file, verify(file));
      } finally {
        time.spend(account, System.nanoTime() - begin);
      }
    } finally {
      reconstructing.release();
    }
  }

  private AdapterFile read(String account, Source source) throws IOException {
    requireTurn(reading, account);
    try (InputStream bytes = source.open()) {
      return AdapterFile.read(bytes.readAllBytes());
    } finally {
      reading.release();
    }
  }

  /**
   * Reads a stored file, and reconstructs it for each nonce if that is within the budget.
   *
   * @param account of the worker whose proofs are checked
   * @param digest of the file
   * @param nonces numbers used once, one for each proof
   * @return the file and its proofs
   * @throws IOException if its bytes cannot be read, or are no longer valid
   * @throws Refusal with status 503 if too many other files are being examined, 500 if the file is
   *     missing or damaged
   */
  public Proven prove(String account, Sha256 digest, Collection<Nonce> nonces) throws IOException {
    requireTurn(reconstructing, account);
    try {
      BlobStore.Blob blob = blobs.get(digest);
      try (InputStream bytes = blob.open(0, blob.size())) {
        AdapterFile file = AdapterFile.read(bytes.readAllBytes());
        return new Proven(file, proofs(file, nonces));
      }
    } finally {
      reconstructing.release();
    }
  }

  /**
   * Reads a stored file.
   *
   * @param account for which it is read
   * @param digest of the file
   * @return the file
   * @throws IOException if its bytes cannot be read, or are no longer valid
   * @throws Refusal with status 503 if too many other files are being read, 500 if the file is
   *     missing or damaged
   */
  public AdapterFile read(String account, Sha256 digest) throws IOException {
    BlobStore.Blob blob = blobs.get(digest);
    return read(account, () -> blob.open(0, blob.size()));
  }

  /**
   * Work that reconstructs.
   *
   * @param <T> its result
   * @param <X> what it throws
   */
  @FunctionalInterface
  public interface Reconstruction<T, X extends Exception> {
    /**
     * Works.
     *
     * @param reconstructor refuses what is above the budget
     * @return the result
     * @throws X if that fails
     */
    T with(Reconstructor reconstructor) throws X;
  }

  /**
   * Reconstructs when it is the account's turn.
   *
   * @param <T> the result
   * @param <X> what the work throws
   * @param account for which it is done
   * @param work takes a short time, or is needed once
   * @return its result
   * @throws X if the work fails
   * @throws Refusal with status 503 if too many other files are being examined
   */
  public <T, X extends Exception> T reconstruct(String account, Reconstruction<T, X> work)
      throws X {
    requireTurn(reconstructing, account);
    try {
      return work.with(reconstructor);
    } finally {
      reconstructing.release();
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
      count(Reason.BUDGET, 1);
      return false;
    }
  }

  private void count(Reason reason, int files) {
    meters.counter("nola.reconstructions.left", "reason", Label.of(reason)).increment(files);
  }

  private static void requireTurn(FairTurns turns, String account) {
    if (!acquire(turns, account, PATIENCE)) {
      throw Refusal.unavailable("too many adapters are being examined; try again later", PATIENCE);
    }
  }

  private static boolean acquire(FairTurns turns, String account, Duration patience) {
    try {
      return turns.acquire(account, patience);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
