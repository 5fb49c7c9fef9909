package dev.nola.registry.verification;

import dev.nola.api.Verification;
import dev.nola.format.AdapterException;
import dev.nola.format.AdapterFile;
import dev.nola.format.DigestMismatchException;
import dev.nola.format.LimitExceededException;
import dev.nola.reconstruct.Budget;
import dev.nola.reconstruct.Reconstructor;
import dev.nola.registry.web.Refusal;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.stereotype.Component;

/** Reads files that come in, and reconstructs those that are small enough. */
@Component
@EnableConfigurationProperties(VerificationSettings.class)
public class Verifier {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final Reconstructor reconstructor;

  /** Each holds a file and its factors in memory. */
  private final Semaphore turns;

  Verifier(VerificationSettings settings) {
    this.reconstructor =
        Reconstructor.standard()
            .withThreads(Runtime.getRuntime().availableProcessors())
            .withBudget(new Budget(settings.factorElements(), settings.additions()));
    this.turns = new Semaphore(settings.parallel(), true);
  }

  /**
   * A file that was read.
   *
   * @param verification never {@code MISMATCHED}: such a file is an exception
   */
  public record Examined(AdapterFile file, Verification verification) {}

  /** Where a file's bytes are. */
  @FunctionalInterface
  public interface Source {
    /** Reads from the beginning. */
    InputStream open() throws IOException;
  }

  /**
   * Reads a file, and reconstructs it if that is within the budget.
   *
   * @throws AdapterException if the file is damaged, not readable by this version, or does not
   *     reconstruct to the digest that it names
   * @throws IOException if its bytes cannot be had
   * @throws Refusal if too many others are being examined for too long
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

  private Verification verify(AdapterFile file) throws DigestMismatchException {
    try {
      reconstructor.verify(file);
      return Verification.VERIFIED;
    } catch (LimitExceededException _) {
      return Verification.UNVERIFIED;
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
    throw Refusal.unavailable("too many adapters are being examined", PATIENCE);
  }
}
