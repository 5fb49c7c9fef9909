/** Compares two adapters: what they say, and how far apart the changes are that they make. */
@NullMarked
package dev.nola.client.diff;

import org.jspecify.annotations.NullMarked;
