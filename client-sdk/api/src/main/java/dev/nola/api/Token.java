package dev.nola.api;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A token, without its secret. It has ten components because JSON has them side by side.
 *
 * @param id name of the token; not a secret
 * @param account account that it acts for
 * @param description text that tells it from its owner's other tokens
 * @param scopes what it permits
 * @param namespaces namespaces in which it may be used, or null for all that its account may use
 * @param createdAt time of its creation
 * @param expiresAt time at which it ends, or null if it does not
 * @param revokedAt time of its revocation, or null
 * @param lastUsedAt time of its last use, to about ten seconds, or null
 * @param parent id of the token that it was created with, which it ends with, or null
 */
public record Token(
    String id,
    String account,
    String description,
    List<Scope> scopes,
    @Nullable List<String> namespaces,
    Instant createdAt,
    @Nullable Instant expiresAt,
    @Nullable Instant revokedAt,
    @Nullable Instant lastUsedAt,
    @Nullable String parent) {}
