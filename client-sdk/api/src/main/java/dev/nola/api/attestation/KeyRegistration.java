package dev.nola.api.attestation;

import org.jspecify.annotations.Nullable;

/**
 * A registration of a key that a worker is to sign with.
 *
 * @param publicKey base64 of its X.509 SubjectPublicKeyInfo
 * @param description text for the admin who approves it, at most 200 characters, or null
 */
public record KeyRegistration(String publicKey, @Nullable String description) {}
