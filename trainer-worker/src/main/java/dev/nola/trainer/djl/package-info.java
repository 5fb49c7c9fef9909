/** Starts DJL's native libraries: offline, and only with libraries that fit each other. */
@NullMarked
package dev.nola.trainer.djl;

import org.jspecify.annotations.NullMarked;
