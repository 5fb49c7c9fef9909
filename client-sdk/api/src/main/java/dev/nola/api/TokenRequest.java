package dev.nola.api;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A token to be made.
 *
 * @param account on whose behalf it acts; null for the caller's own. Only an admin may name another
 * @param description for its owner to tell it from others
 * @param scopes those of the caller at most, unless the caller is an admin
 * @param namespaces where it may be used, or null for wherever its account may act
 * @param expiresAt when it ends, or null if it does not
 */
public record TokenRequest(
    @Nullable String account,
    @Nullable String description,
    @Nullable List<Scope> scopes,
    @Nullable List<String> namespaces,
    @Nullable Instant expiresAt) {}
