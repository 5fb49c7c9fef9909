/** Checks a GPU against the CPU bit by bit, and measures it: {@code gpu/check}. */
@NullMarked
package dev.nola.gpu.check;

import org.jspecify.annotations.NullMarked;
