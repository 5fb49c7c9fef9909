/**
 * Text from a language model and an adapter; uses both models and methods, which do not know it.
 */
@NullMarked
package dev.nola.trainer.generate;

import org.jspecify.annotations.NullMarked;
