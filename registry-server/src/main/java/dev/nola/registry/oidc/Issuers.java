package dev.nola.registry.oidc;

import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.springframework.stereotype.Component;

/** The issuers that are configured; tokens of others are not even looked at. */
@Component
class Issuers {
  private final OidcSettings settings;
  private final Map<String, Issuer> issuers;

  Issuers(OidcSettings settings) {
    this.settings = settings;
    issuers =
        Stream.concat(
                Stream.ofNullable(settings.issuer()),
                settings.publishers().stream().map(Publisher::issuer))
            .distinct()
            .collect(Collectors.toUnmodifiableMap(Function.identity(), Issuer::new));
  }

  /** Finds an issuer by its name, exactly as its tokens have it. */
  Optional<Issuer> find(String name) {
    return Optional.ofNullable(issuers.get(name));
  }

  /** Returns the issuer of people. */
  Issuer people() {
    return Objects.requireNonNull(issuers.get(settings.peoplesIssuer()));
  }
}
