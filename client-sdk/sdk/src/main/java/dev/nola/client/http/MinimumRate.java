package dev.nola.client.http;

import dev.nola.client.RegistryException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How fast a file must come: else a registry that sends a byte now and then would keep a caller for
 * ever.
 *
 * @param bytesPerSecond on average over each window
 * @param window over which the average is taken
 */
public record MinimumRate(long bytesPerSecond, Duration window) {
  /** Reads a body that must come at this rate. For one thread. */
  public final class Reader {
    private final Body body;
    private final Duration timeout;
    private long windowEnd = System.nanoTime() + window.toNanos();
    private long received;

    private Reader(Body body, Duration timeout) {
      this.body = body;
      this.timeout = timeout;
    }

    /**
     * Returns the next bytes.
     *
     * @return the bytes, or null at the end
     * @throws Body.CutException if none come in time, or the body was cut
     * @throws RegistryException of kind {@code UNAVAILABLE} if they come too slowly
     * @throws InterruptedException if the thread is interrupted while it waits
     */
    public @Nullable List<ByteBuffer> next()
        throws Body.CutException, RegistryException, InterruptedException {
      long left = windowEnd - System.nanoTime();
      List<ByteBuffer> piece;
      try {
        piece = body.next(Duration.ofNanos(Math.max(1, Math.min(left, timeout.toNanos()))));
      } catch (Body.CutException e) {
        if (System.nanoTime() < windowEnd || received == 0 || !e.isSilence()) {
          throw e; // another attempt may bring the rest
        }
        piece = List.of(); // the window ended, not the patience
      }
      if (piece != null) {
        piece.forEach(bytes -> received += bytes.remaining());
      }
      if (piece != null && System.nanoTime() >= windowEnd) {
        requireRate();
        windowEnd = System.nanoTime() + window.toNanos();
        received = 0;
      }
      return piece;
    }

    private void requireRate() throws RegistryException {
      double seconds = window.toMillis() / 1000.0;
      if (received < bytesPerSecond * seconds) {
        throw RegistryException.unavailable(
            "the registry sends too slowly: %d bytes in %s seconds; the minimum is %d bytes a second"
                .formatted(received, seconds, bytesPerSecond),
            null);
      }
    }
  }

  /**
   * Begins to read a body.
   *
   * @param body the body
   * @param timeout how long to wait for each next byte
   * @return its reader
   */
  Reader read(Body body, Duration timeout) {
    return new Reader(body, timeout);
  }
}
