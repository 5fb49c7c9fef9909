package dev.nola.api;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Something that was done.
 *
 * @param account who did it
 * @param tokenId with which token
 * @param action such as {@code version.publish}
 * @param subject to what
 * @param detail what else there is to say
 * @param requestId of the request, as the log has it
 */
public record AuditEntry(
    long id,
    Instant at,
    String account,
    @Nullable String tokenId,
    String action,
    String subject,
    String detail,
    String requestId) {}
