package dev.nola.registry.oidc;

import com.nimbusds.jose.jwk.source.JWKSource;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.jwk.source.RateLimitReachedException;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jose.util.DefaultResourceRetriever;
import com.nimbusds.jose.util.Resource;
import com.nimbusds.jose.util.ResourceRetriever;
import dev.nola.registry.web.Refusal;
import io.github.bucket4j.Bucket;
import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.security.oauth2.core.OAuth2TokenValidator;
import org.springframework.security.oauth2.jose.jws.SignatureAlgorithm;
import org.springframework.security.oauth2.jwt.BadJwtException;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtException;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Checks the signatures of an issuer. Its metadata and keys are fetched when they are first needed,
 * so that the registry starts while the issuer is away.
 */
final class Issuer {
  private static final Logger LOG = LoggerFactory.getLogger(Issuer.class);
  private static final Duration RETRY = Duration.ofSeconds(10);
  private static final int TIMEOUT_MILLIS = 5_000;
  private static final int MAX_BYTES = 256 * 1024;

  /** Symmetric ones are missing: a public key would be their secret. */
  private static final List<SignatureAlgorithm> ALGORITHMS =
      List.of(SignatureAlgorithm.RS256, SignatureAlgorithm.PS256, SignatureAlgorithm.ES256);

  private final String name;
  private final ResourceRetriever http =
      new DefaultResourceRetriever(TIMEOUT_MILLIS, TIMEOUT_MILLIS, MAX_BYTES);

  /** Forged tokens must not make this server send requests without end. */
  private final Bucket attempts =
      Bucket.builder().addLimit(limit -> limit.capacity(3).refillGreedy(1, RETRY)).build();

  private volatile @Nullable Provider provider;
  private volatile boolean keysReached;

  Issuer(String name) {
    this.name = name;
  }

  /** What the issuer says about itself, and its keys. */
  private record Provider(JsonNode metadata, JWKSource<SecurityContext> keys) {}

  /**
   * Returns an address in the issuer's metadata.
   *
   * @param key such as {@code token_endpoint}
   * @return the address
   * @throws Refusal with status 503 if the metadata cannot be fetched, or lacks the address
   */
  String address(String key) {
    return address(provider().metadata, key).toString();
  }

  /**
   * Checks a token.
   *
   * @param token a JWT
   * @param validator of its claims
   * @return the token
   * @throws BadJwtException if its signature or a claim is invalid
   * @throws Refusal with status 503 if the issuer's keys cannot be fetched now
   */
  Jwt decode(String token, OAuth2TokenValidator<Jwt> validator) {
    NimbusJwtDecoder decoder =
        NimbusJwtDecoder.withJwkSource(provider().keys)
            .jwsAlgorithms(algorithms -> algorithms.addAll(ALGORITHMS))
            .build();
    decoder.setJwtValidator(validator);
    try {
      return decoder.decode(token);
    } catch (BadJwtException e) {
      throw e;
    } catch (JwtException e) {
      if (keysReached
          && NestedExceptionUtils.getRootCause(e) instanceof RateLimitReachedException) {
        throw new BadJwtException("unknown key, and the issuer's keys were fetched just now", e);
      }
      throw unavailable(e);
    }
  }

  private synchronized Provider provider() {
    Provider known = provider;
    if (known != null) {
      return known;
    }
    if (!attempts.tryConsume(1)) {
      throw unavailable(null);
    }
    try {
      URL url =
          URI.create(name.replaceFirst("/$", "") + "/.well-known/openid-configuration").toURL();
      JsonNode metadata = JsonMapper.shared().readTree(http.retrieveResource(url).getContent());
      if (!metadata.path("issuer").asString("").equals(name)) {
        throw new IOException("metadata of another issuer: " + metadata.path("issuer"));
      }
      Provider fetched =
          new Provider(
              metadata,
              JWKSourceBuilder.<SecurityContext>create(address(metadata, "jwks_uri"), this::keys)
                  .refreshAheadCache(false)
                  .build());
      provider = fetched;
      return fetched;
    } catch (IOException | JacksonException e) {
      throw unavailable(e);
    }
  }

  private Resource keys(URL url) throws IOException {
    keysReached = false;
    Resource resource = http.retrieveResource(url);
    keysReached = true;
    return resource;
  }

  private URL address(JsonNode metadata, String key) {
    try {
      return ProviderUrl.require(key, metadata.path(key).asString(""));
    } catch (IllegalArgumentException e) {
      throw unavailable(e);
    }
  }

  private Refusal unavailable(@Nullable Exception cause) {
    if (cause != null) {
      LOG.warn("OpenID provider {} unavailable: {}", name, cause.toString());
    }
    return Refusal.unavailable(
        "OpenID provider unavailable: its tokens cannot be checked now; try again later", RETRY);
  }
}
