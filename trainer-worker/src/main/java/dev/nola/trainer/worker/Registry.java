package dev.nola.trainer.worker;

import dev.nola.client.RegistryException;
import dev.nola.client.cache.LocalCache;
import dev.nola.client.jobs.WorkerClient;
import dev.nola.client.registry.NolaClient;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

/** The registry as a worker uses it: with a short timeout for requests, a long one for files. */
final class Registry implements AutoCloseable {
  /** Time that the registry may be unreachable before a worker gives a job up. */
  static final Duration MAX_OUTAGE = Duration.ofHours(1);

  private static final String TOKEN_HINT =
      "the file of --token-file must hold a token of scope worker (trainer-worker/README.md)";
  private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(40);
  private static final Duration TRANSFER_TIMEOUT = Duration.ofMinutes(10);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(500);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);

  private final NolaClient requestClient;
  private final NolaClient transferClient;
  private final WorkerClient requests;
  private final WorkerClient transfers;

  Registry(RegistryAccess access, Path cache) {
    requestClient = client(access, cache, REQUEST_TIMEOUT);
    transferClient = client(access, cache, TRANSFER_TIMEOUT);
    requests = requestClient.worker();
    transfers = transferClient.worker();
  }

  private static NolaClient client(RegistryAccess access, Path cache, Duration timeout) {
    return NolaClient.builder(access.url())
        .token(access.token())
        .allowPlainHttp(access.allowPlainHttp())
        .tokenHint(TOKEN_HINT)
        .cache(LocalCache.at(cache))
        .requestTimeout(timeout)
        .build();
  }

  /** Returns the client for short requests: a registry that hangs delays no heartbeat for long. */
  WorkerClient requests() {
    return requests;
  }

  /** Returns the client for files, which may take their time. */
  WorkerClient transfers() {
    return transfers;
  }

  /** A request that may be sent again. */
  @FunctionalInterface
  interface Request<T> {
    T send() throws IOException, InterruptedException;
  }

  /**
   * Sends a request again and again while the registry is unreachable.
   *
   * @param limit time after which it gives up
   * @param request the request
   * @return the answer
   * @throws IOException if the registry refuses, or is still unreachable when the time is over
   * @throws InterruptedException if the thread is interrupted
   */
  static <T> T retry(Duration limit, Request<T> request) throws IOException, InterruptedException {
    long end = System.nanoTime() + limit.toNanos();
    for (Duration pause = FIRST_PAUSE; ; pause = min(pause.multipliedBy(2), LONGEST_PAUSE)) {
      try {
        return request.send();
      } catch (IOException e) {
        if (!isUnreachable(e) || System.nanoTime() + pause.toNanos() > end) {
          throw e;
        }
      }
      Thread.sleep(pause);
    }
  }

  static boolean isUnreachable(IOException failure) {
    return failure instanceof RegistryException e && e.kind() == RegistryException.Kind.UNAVAILABLE;
  }

  /** Returns whether the registry has refused a request, and will refuse it again. */
  static boolean isRefusal(IOException failure) {
    return failure instanceof RegistryException && !isUnreachable(failure);
  }

  private static Duration min(Duration a, Duration b) {
    return a.compareTo(b) < 0 ? a : b;
  }

  @Override
  public void close() {
    requestClient.close();
    transferClient.close();
  }
}
