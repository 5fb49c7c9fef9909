/**
 * Signatures of what the registry serves, in the format of OpenSSF Model Signing 1.0: a Sigstore
 * bundle (version 0.3) of a DSSE envelope, made with the registry's P-256 key.
 *
 * <p>Source: https://github.com/sigstore/model-transparency and
 * https://docs.sigstore.dev/about/bundle.
 */
@NullMarked
package dev.nola.registry.signing;

import org.jspecify.annotations.NullMarked;
