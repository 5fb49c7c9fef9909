/**
 * Adds adapters to a model's weights and writes the merged model (SPEC.md section 7.3).
 *
 * <p>There is no way back: a merge rounds each weight to its type, so subtracting ΔW again would
 * not give the bits of the base model. Whoever wants the base back keeps it.
 */
@NullMarked
package dev.nola.client.merge;

import org.jspecify.annotations.NullMarked;
