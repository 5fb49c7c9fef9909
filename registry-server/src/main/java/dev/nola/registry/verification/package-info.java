/** Reconstructing adapters to see that they give the bits they promise. */
@NullMarked
package dev.nola.registry.verification;

import org.jspecify.annotations.NullMarked;
