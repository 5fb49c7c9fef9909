/**
 * What workers attest about versions: asking them to, judging what they send, and what follows from
 * it.
 */
@NullMarked
package dev.nola.registry.verification;

import org.jspecify.annotations.NullMarked;
