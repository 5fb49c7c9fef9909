/** The server's directory, and failures to start. */
@NullMarked
package dev.nola.registry.data;

import org.jspecify.annotations.NullMarked;
