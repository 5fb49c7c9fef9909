/** SHA-256 digests as values: {@link dev.nola.digest.Sha256}. */
@NullMarked
package dev.nola.digest;

import org.jspecify.annotations.NullMarked;
