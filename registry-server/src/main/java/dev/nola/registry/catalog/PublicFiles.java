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

  private final ReferenceResolver references;

  /** Forgotten with what the reference was found to mean, which each change makes anew. */
  private final Cache<ReferenceResolver.Located, Answer> answers =
      Caffeine.newBuilder()
          .weakKeys()
          .maximumWeight(CACHED_BYTES)
          .weigher((ReferenceResolver.Located _, Answer answer) -> answer.body().length)
          .build();

  PublicFiles(ReferenceResolver references) {
    this.references = references;
  }

  /**
   * A response with status 200.
   *
   * @param version whose file it is
   * @param headers beside those that every response has
   * @param body bytes of the file
   */
  record Answer(ReferenceResolver.Located version, HttpHeaders headers, byte[] body) {}

  void keep(Answer answer) {
    answers.put(answer.version(), answer);
  }

  /** Returns the answer to a request for a file, if it is kept and would be the same now. */
  Optional<Answer> find(AdapterName adapter, String reference) {
    return references.knownPublic(adapter, reference).map(answers::getIfPresent);
  }
}
