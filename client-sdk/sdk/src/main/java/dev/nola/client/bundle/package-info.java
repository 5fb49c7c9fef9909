/**
 * Bundles: versions of adapters in one file, to be carried to a registry that has no connection to
 * theirs.
 *
 * <p>A bundle is a ZIP archive whose entries are stored uncompressed, with the time 1980-01-01, in
 * this order; equal contents result in equal bytes:
 *
 * <ul>
 *   <li>{@code index.json}: a {@link dev.nola.client.bundle.BundleIndex}, which lists every other
 *       entry with its SHA-256 and size
 *   <li>{@code adapters/HEX.nola}: adapter files by their SHA-256, each once
 *   <li>{@code attestations/HEX.dsse.json}: DSSE envelopes by the SHA-256 of these bytes
 *   <li>{@code keys/HEX.pem}: the public keys that signed them, by their fingerprint
 * </ul>
 */
@NullMarked
package dev.nola.client.bundle;

import org.jspecify.annotations.NullMarked;
