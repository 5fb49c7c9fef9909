package dev.nola.api;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An account in the list of all accounts: a name that has a token or is a member of a namespace.
 *
 * @param account name of the account
 * @param tokens number of its tokens that are valid now
 * @param lastUsedAt time when one of its tokens was last used, to about ten seconds, or null
 * @param namespaces names of the namespaces that it is a member of, sorted
 */
public record AccountSummary(
    String account, long tokens, @Nullable Instant lastUsedAt, List<String> namespaces) {
  /** Copies the list. */
  public AccountSummary {
    namespaces = List.copyOf(namespaces);
  }
}
