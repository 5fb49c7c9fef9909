/** Measures how much of the space of weight updates NOLA and PRANC reach. */
@NullMarked
package dev.nola.trainer.coverage;

import org.jspecify.annotations.NullMarked;
