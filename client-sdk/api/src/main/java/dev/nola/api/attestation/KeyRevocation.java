package dev.nola.api.attestation;

/**
 * That nothing signed with a key, ever, counts.
 *
 * @param reason 1 to 500 characters, for everyone to read
 */
public record KeyRevocation(String reason) {}
