/** The server's directory on this machine, and what keeps the server from starting. */
@NullMarked
package dev.nola.registry.data;

import org.jspecify.annotations.NullMarked;
