/**
 * Pins adapters, and proves later that they still are what they were and reconstruct to the same
 * bits on the machine at hand.
 *
 * <p>A lock file is JSON, meant to be committed:
 *
 * <pre>{@code
 * {
 *   "version": 1,
 *   "adapters": [
 *     {
 *       "reference": "acme/mood@1.2.0",
 *       "registry": "https://nola.example",
 *       "digest": "sha256:…",
 *       "reconstructionDigest": "sha256:…",
 *       "requiredVerifications": 0,
 *       "keys": []
 *     }
 *   ]
 * }
 * }</pre>
 *
 * <p>An adapter that is a file has {@code file}, a path relative to the lock file, in place of
 * {@code reference} and {@code registry}. {@code digest} is of the file's bytes, {@code
 * reconstructionDigest} of what it reconstructs to. {@code requiredVerifications} says how many
 * independent machines must have attested the latter, with the keys that {@code keys} lists by
 * fingerprint, or with any that the registry trusts if it lists none.
 */
@NullMarked
package dev.nola.client.lock;

import org.jspecify.annotations.NullMarked;
