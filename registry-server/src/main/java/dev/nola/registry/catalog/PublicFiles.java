package dev.nola.registry.catalog;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.util.Optional;
import org.springframework.http.HttpHeaders;
import org.springframework.stereotype.Component;

/**
 * Keeps small files that were sent to a caller without a token, with their headers, as long as what
 * their references mean is kept.
 */
@Component
class PublicFiles {
  /** Larger files take long to send, whatever else a request costs. */
  static final int LARGEST = 1 << 20;

  private static final long CACHED_BYTES = 64_000_000;

  /**
   * By the cached resolution of a reference: each change of an adapter replaces that, and the
   * answer can be collected with it. An answer must therefore not refer to its key.
   */
  private final Cache<ReferenceResolver.Located, Answer> answers =
      Caffeine.newBuilder()
          .weakKeys()
          .maximumWeight(CACHED_BYTES)
          .weigher((ReferenceResolver.Located _, Answer answer) -> answer.body().length)
          .build();

  /**
   * A response with status 200.
   *
   * @param headers beside those that every response has
   * @param body bytes of the file
   */
  record Answer(HttpHeaders headers, byte[] body) {}

  void keep(ReferenceResolver.Located version, Answer answer) {
    answers.put(version, answer);
  }

  /** Returns the answer to a request for the file of a version, if it is kept. */
  Optional<Answer> find(ReferenceResolver.Located version) {
    return Optional.ofNullable(answers.getIfPresent(version));
  }
}
