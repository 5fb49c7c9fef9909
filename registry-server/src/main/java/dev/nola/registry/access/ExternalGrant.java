package dev.nola.registry.access;

import java.time.Instant;

/**
 * Rights of a caller by the statement of another issuer.
 *
 * @param issuer that vouches
 * @param subject that the issuer knows the caller by
 * @param account of this registry that the caller acts as
 * @param rights of the caller
 * @param expiresAt when the issuer's statement, or the session that it opens, ends
 */
public record ExternalGrant(
    String issuer, String subject, String account, ExternalRights rights, Instant expiresAt) {}
