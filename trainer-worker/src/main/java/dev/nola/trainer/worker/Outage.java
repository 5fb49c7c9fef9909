package dev.nola.trainer.worker;

import java.io.IOException;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * Logs once that the registry is unreachable, and once that it is back, whichever of the worker's
 * threads finds out.
 */
final class Outage {
  private final Consumer<String> log;
  private boolean lost;
  private long start;

  /**
   * Creates it for a registry that is reachable.
   *
   * @param log receives what happens, a line each
   */
  Outage(Consumer<String> log) {
    this.log = log;
  }

  /**
   * Sends a request, and learns from its answer whether the registry is reachable.
   *
   * @param request the request
   * @return its answer
   * @throws IOException if the registry refuses or is unreachable
   * @throws InterruptedException if the thread is interrupted
   */
  <T> T watch(Registry.Request<T> request) throws IOException, InterruptedException {
    long sent = System.nanoTime();
    try {
      T answer = request.send();
      end(sent);
      return answer;
    } catch (IOException e) {
      if (Registry.isUnreachable(e)) {
        begin(e);
      } else if (Registry.isRefusal(e)) {
        end(sent);
      }
      throw e;
    }
  }

  private synchronized void begin(IOException failure) {
    if (!lost) {
      lost = true;
      start = System.nanoTime();
      log.accept(
          "lost the registry: %s; trying again until it is back".formatted(failure.getMessage()));
    }
  }

  /** Ends an outage, unless the request that was answered had been sent before it began. */
  private synchronized void end(long sent) {
    if (lost && sent - start > 0) {
      lost = false;
      Duration length = Duration.ofNanos(System.nanoTime() - start);
      log.accept("the registry is back after %d seconds".formatted(length.toSeconds()));
    }
  }
}
