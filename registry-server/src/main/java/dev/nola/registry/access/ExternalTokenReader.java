package dev.nola.registry.access;

import java.util.Optional;

/** Reads bearer tokens that other issuers have signed. */
public interface ExternalTokenReader {
  /**
   * Checks a token and reads what it grants.
   *
   * @param secret a bearer token that is unknown here
   * @return what it grants; empty if it is not a valid token of an issuer that is configured
   * @throws dev.nola.registry.web.Refusal with status 503 if the issuer's keys cannot be fetched
   *     now; with 403 if the issuer vouches for the caller but this registry does not admit it
   */
  Optional<ExternalGrant> read(String secret);
}
