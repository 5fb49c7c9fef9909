package dev.nola.api;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A token, without its secret.
 *
 * @param id names it, and is no secret
 * @param account on whose behalf it acts
 * @param namespaces where it may be used, or null for wherever its account may act
 * @param lastUsedAt to about ten seconds
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
    @Nullable Instant lastUsedAt) {}
