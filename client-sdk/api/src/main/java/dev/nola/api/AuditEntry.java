package dev.nola.api;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * An entry of the audit log. It has eight components because JSON has them side by side.
 *
 * @param id number of the entry; grows
 * @param at time of the action
 * @param account account that acted
 * @param tokenId id of the token that it used, or null
 * @param action kind of action, such as {@code version.publish}
 * @param subject thing that was acted on
 * @param detail further text, possibly empty
 * @param requestId id of the request, the same as in the server's log
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
