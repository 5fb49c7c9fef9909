package dev.nola.trainer.worker;

import dev.nola.client.RegistryException;
import dev.nola.client.cache.LocalCache;
import dev.nola.client.jobs.WorkerClient;
import dev.nola.client.registry.NolaClient;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;

/**
 * The registry as a worker uses it.
 *
 * @param words short requests: a registry that hangs holds up no heartbeat for long
 * @param files files, which may take their time
 */
record Registry(WorkerClient words, WorkerClient files, NolaClient first, NolaClient second)
    implements AutoCloseable {
  private static final String TOKEN_HINT =
      "the file of --token-file must hold a token of scope worker (trainer-worker/README.md)";
  private static final Duration WORD = Duration.ofSeconds(40);
  private static final Duration FILE = Duration.ofMinutes(10);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(500);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);

  static Registry of(URI url, String token, Path cache) {
    NolaClient words = client(url, token, cache, WORD);
    NolaClient files = client(url, token, cache, FILE);
    return new Registry(words.worker(), files.worker(), words, files);
  }

  private static NolaClient client(URI url, String token, Path cache, Duration timeout) {
    return NolaClient.builder(url)
        .token(token)
        .tokenHint(TOKEN_HINT)
        .cache(LocalCache.at(cache))
        .requestTimeout(timeout)
        .build();
  }

  /** A request that may be sent again. */
  @FunctionalInterface
  interface Request<T> {
    T send() throws IOException, InterruptedException;
  }

  /** Sends a request again and again while the registry is out of reach. */
  static <T> T persist(Duration patience, Request<T> request)
      throws IOException, InterruptedException {
    long end = System.nanoTime() + patience.toNanos();
    for (Duration pause = FIRST_PAUSE; ; pause = min(pause.multipliedBy(2), LONGEST_PAUSE)) {
      try {
        return request.send();
      } catch (IOException e) {
        if (!isOutOfReach(e) || System.nanoTime() + pause.toNanos() > end) {
          throw e;
        }
      }
      Thread.sleep(pause);
    }
  }

  static boolean isOutOfReach(IOException failure) {
    return failure instanceof RegistryException e && e.kind() == RegistryException.Kind.UNAVAILABLE;
  }

  private static Duration min(Duration a, Duration b) {
    return a.compareTo(b) < 0 ? a : b;
  }

  @Override
  public void close() {
    first.close();
    second.close();
  }
}
