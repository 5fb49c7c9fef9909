package dev.nola.registry.pages;

import dev.nola.api.Token;
import dev.nola.text.Label;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A token as the page of tokens shows it.
 *
 * @param details as the API shows them
 * @param valid whether it is neither revoked nor expired
 * @param own whether the viewer's session came from it
 */
record TokenView(Token details, boolean valid, boolean own) {
  static TokenView of(Token token, Instant now, @Nullable UUID viewers) {
    boolean valid =
        token.revokedAt() == null && (token.expiresAt() == null || token.expiresAt().isAfter(now));
    return new TokenView(token, valid, viewers != null && token.id().equals(viewers.toString()));
  }

  /** Returns what it permits, as words. */
  public List<String> scopes() {
    return details.scopes().stream().map(Label::of).toList();
  }
}
