package dev.nola.registry.oidc;

import com.nimbusds.jwt.SignedJWT;
import dev.nola.api.Role;
import dev.nola.api.Scope;
import dev.nola.registry.access.ExternalGrant;
import dev.nola.registry.access.ExternalRights;
import dev.nola.registry.access.ExternalTokenReader;
import java.text.ParseException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.security.oauth2.core.DelegatingOAuth2TokenValidator;
import org.springframework.security.oauth2.core.OAuth2TokenValidator;
import org.springframework.security.oauth2.jwt.BadJwtException;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtIssuerValidator;
import org.springframework.security.oauth2.jwt.JwtTimestampValidator;
import org.springframework.security.oauth2.jwt.JwtTypeValidator;
import org.springframework.stereotype.Component;

/**
 * Reads the JWTs of people and of programs. Why one is refused is in the log alone: the response
 * must not help to guess tokens.
 */
@Component
class JwtReader implements ExternalTokenReader {
  static final Duration CLOCK_SKEW = Duration.ofSeconds(60);

  private static final Logger LOG = LoggerFactory.getLogger(JwtReader.class);

  private final OidcSettings settings;
  private final Issuers issuers;
  private final PersonGrants people;

  JwtReader(OidcSettings settings, Issuers issuers, PersonGrants people) {
    this.settings = settings;
    this.issuers = issuers;
    this.people = people;
  }

  @Override
  public Optional<ExternalGrant> read(String secret) {
    try {
      String name = issuerOf(secret);
      Issuer issuer =
          issuers.find(name).orElseThrow(() -> new BadJwtException("unknown issuer: " + name));
      return Optional.of(grant(issuer.decode(secret, validator(name))));
    } catch (BadJwtException e) {
      LOG.info("JWT refused: {}", e.getMessage());
      return Optional.empty();
    }
  }

  private static String issuerOf(String secret) {
    try {
      return String.valueOf(SignedJWT.parse(secret).getJWTClaimsSet().getIssuer());
    } catch (ParseException e) {
      throw new BadJwtException("not a signed JWT: " + e.getMessage(), e);
    }
  }

  /** A token for another purpose, such as for a logout, has another type. */
  private static OAuth2TokenValidator<Jwt> validator(String issuer) {
    JwtTimestampValidator times = new JwtTimestampValidator(CLOCK_SKEW);
    times.setAllowEmptyExpiryClaim(false);
    JwtTypeValidator type = new JwtTypeValidator(List.of("JWT", "at+jwt", "application/at+jwt"));
    type.setAllowEmpty(true);
    return new DelegatingOAuth2TokenValidator<>(times, type, new JwtIssuerValidator(issuer));
  }

  private ExternalGrant grant(Jwt token) {
    for (Publisher publisher : settings.publishers()) {
      if (publisher.matches(token)) {
        return grant(publisher, token);
      }
    }
    List<String> audience = token.getAudience();
    if (!Objects.equals(token.getClaimAsString("iss"), settings.issuer())
        || audience == null
        || !audience.contains(settings.audience())) {
      throw new BadJwtException(
          "audience %s and claims match nobody: subject %s of %s"
              .formatted(audience, token.getSubject(), token.getClaimAsString("iss")));
    }
    return people.of(token, expiry(token));
  }

  private static ExternalGrant grant(Publisher publisher, Jwt token) {
    return new ExternalGrant(
        publisher.issuer(),
        String.valueOf(token.getSubject()),
        publisher.account(),
        new ExternalRights(
            Set.of(Scope.PUBLISH),
            publisher.namespaces(),
            publisher.namespaces().stream()
                .distinct()
                .collect(Collectors.toMap(Function.identity(), _ -> Role.MEMBER)),
            Set.of()),
        expiry(token));
  }

  private static Instant expiry(Jwt token) {
    return Objects.requireNonNull(token.getExpiresAt());
  }
}
