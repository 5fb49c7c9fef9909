/**
 * Attestations: signed statements that a machine reconstructed a file, and to what.
 *
 * <p>An attestation is an in-toto Statement v1 in a DSSE envelope, signed with Ed25519. Its subject
 * is the adapter file's SHA-256; its predicate ({@code urn:nola:predicate:reconstruction:v1}) is a
 * {@link dev.nola.api.attestation.Reconstruction}. This package writes, signs, reads and checks
 * them, for registry, workers and clients alike.
 */
@NullMarked
package dev.nola.api.attestation;

import org.jspecify.annotations.NullMarked;
