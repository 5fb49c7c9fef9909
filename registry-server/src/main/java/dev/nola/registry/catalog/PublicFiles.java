package dev.nola.registry.catalog;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.util.Optional;
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
  private final Cache<ReferenceResolver.Located, KeptAnswer> answers =
      Caffeine.newBuilder()
          .weakKeys()
          .maximumWeight(CACHED_BYTES)
          .weigher((ReferenceResolver.Located _, KeptAnswer answer) -> answer.body().length)
          .build();

  void keep(ReferenceResolver.Located version, KeptAnswer answer) {
    answers.put(version, answer);
  }

  /** Returns the answer to a request for the file of a version, if it is kept. */
  Optional<KeptAnswer> find(ReferenceResolver.Located version) {
    return Optional.ofNullable(answers.getIfPresent(version));
  }
}
