/** Writes what an adapter reconstructs to, for programs that do not read adapters. */
@NullMarked
package dev.nola.client.factors;

import org.jspecify.annotations.NullMarked;
