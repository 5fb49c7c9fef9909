/**
 * Holds many adapters as the bytes of their files and reconstructs those that are in use.
 *
 * <p>For a server that switches tasks: a thousand adapters of a 7B model take 31 MB of heap, and
 * each is one activation away.
 */
@NullMarked
package dev.nola.client.pool;

import org.jspecify.annotations.NullMarked;
