package dev.nola.api;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A request for a token.
 *
 * @param account account that it acts for; null for the caller's. Only an admin may name another
 * @param description text that tells it from its owner's other tokens
 * @param scopes what it permits: at most what the caller's token does, unless the caller is an
 *     admin
 * @param namespaces namespaces in which it may be used, or null for all that its account may use
 * @param expiresAt time at which it ends, no later than the caller's token; null for the time at
 *     which that ends
 */
public record TokenRequest(
    @Nullable String account,
    @Nullable String description,
    @Nullable List<Scope> scopes,
    @Nullable List<String> namespaces,
    @Nullable Instant expiresAt) {}
