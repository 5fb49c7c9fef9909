/**
 * Reconstruction of adapters: factors A and B, ΔW, merged weights, and the digests that prove them
 * (SPEC.md sections 7 to 9). Start at {@link dev.nola.reconstruct.Reconstructor}.
 */
@NullMarked
package dev.nola.reconstruct;

import org.jspecify.annotations.NullMarked;
