package dev.nola.registry.verification;

import dev.nola.api.name.NameRule;
import java.util.List;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * The verifications that are requested when a version is published.
 *
 * @param backends to reconstruct it by, of scalar, vector, torch and cuda; may be empty
 * @param copies of each, by workers with different keys; at least two of a file that the registry
 *     does not reconstruct itself
 */
@ConfigurationProperties("nola.verification")
record VerificationSettings(
    @DefaultValue({"scalar", "vector", "torch"}) List<String> backends,
    @DefaultValue("1") int copies) {
  static final int MAX_COPIES = 10;

  VerificationSettings {
    backends = List.copyOf(backends);
    for (String backend : backends) {
      if (!NameRule.BACKEND.isMet(backend)) {
        throw new IllegalArgumentException(
            "invalid nola.verification.backends: %s; must be of scalar, vector, torch and cuda"
                .formatted(backend));
      }
    }
    if (copies < 1 || copies > MAX_COPIES) {
      throw new IllegalArgumentException(
          "invalid nola.verification.copies: %d; must be 1 to %d".formatted(copies, MAX_COPIES));
    }
  }
}
