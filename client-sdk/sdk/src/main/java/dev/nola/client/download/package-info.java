/** Brings files into the cache, resuming what was interrupted; applications do not use it. */
@NullMarked
package dev.nola.client.download;

import org.jspecify.annotations.NullMarked;
