/** Waiting for other threads and processes. */
@NullMarked
package dev.nola.threads;

import org.jspecify.annotations.NullMarked;
