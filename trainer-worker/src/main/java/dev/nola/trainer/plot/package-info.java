/** Draws charts. */
@NullMarked
package dev.nola.trainer.plot;

import org.jspecify.annotations.NullMarked;
