/**
 * Attestations by workers: requesting them, judging them, and the status of versions that follows
 * from it.
 */
@NullMarked
package dev.nola.registry.verification;

import org.jspecify.annotations.NullMarked;
