/**
 * Adds adapters to a model's weights and writes the merged model (SPEC.md section 7.3).
 *
 * <p>A merge cannot be undone: it rounds each weight to its type, so subtracting ΔW again would not
 * return the bits of the base model. Keep the base model if you may need it again.
 */
@NullMarked
package dev.nola.client.merge;

import org.jspecify.annotations.NullMarked;
