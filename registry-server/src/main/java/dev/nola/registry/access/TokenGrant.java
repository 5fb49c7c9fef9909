package dev.nola.registry.access;

import dev.nola.api.Scope;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a new token permits, and whose it is.
 *
 * @param account of the holder
 * @param description of the token
 * @param scopes that it has
 * @param namespaces where it is valid; null for all
 * @param expiresAt when it expires; null for never
 * @param parentId id of the token that it is minted with, which it ends with; null for none
 */
record TokenGrant(
    String account,
    String description,
    Collection<Scope> scopes,
    @Nullable List<String> namespaces,
    @Nullable Instant expiresAt,
    @Nullable UUID parentId) {}
