package dev.nola.api.attestation;

/**
 * A revocation of a key: nothing that was ever signed with it counts.
 *
 * @param reason 1 to 500 characters, for everyone to read
 */
public record KeyRevocation(String reason) {}
