package dev.nola.cli;

import dev.nola.api.Scope;
import dev.nola.api.Token;
import dev.nola.text.Label;
import java.net.URI;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The user, as a registry recognizes it by a token.
 *
 * @param registry URL of the registry
 * @param account account that the token acts for
 * @param scopes what the token permits
 * @param namespaces namespaces that the token is limited to, or null for all
 * @param expiresAt time at which the token ends, or null if it does not
 */
record Identity(
    String registry,
    String account,
    List<Scope> scopes,
    @Nullable List<String> namespaces,
    @Nullable Instant expiresAt) {
  static Identity of(URI registry, Token token) {
    return new Identity(
        registry.toString(),
        token.account(),
        token.scopes(),
        token.namespaces(),
        token.expiresAt());
  }

  /** Returns one line: the account, and what its token allows, where and until when. */
  String sentence() {
    return "%s at %s, with a token for %s, %s, which %s"
        .formatted(
            account,
            registry,
            scopes.stream().map(Label::of).collect(Collectors.joining(", ")),
            namespaces == null
                ? "in all namespaces of the account"
                : "limited to namespaces " + String.join(", ", namespaces),
            expiresAt == null
                ? "does not expire"
                : "expires at " + expiresAt.truncatedTo(ChronoUnit.SECONDS));
  }
}
