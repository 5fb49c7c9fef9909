package dev.nola.client.http;

import java.net.URI;
import org.jspecify.annotations.Nullable;

/**
 * A registry and the right to use it.
 *
 * @param registry the registry's normalized URL
 * @param token the token to send, or null for anonymous access
 * @param tokenHint the remedy that a message about a refused token names; null for how to log in
 */
public record RegistryAccess(URI registry, @Nullable String token, @Nullable String tokenHint) {
  /** Returns the remedy for a token that is missing or refused. */
  String tokenRemedy() {
    return tokenHint == null ? "log in with: nola login --registry " + registry : tokenHint;
  }
}
