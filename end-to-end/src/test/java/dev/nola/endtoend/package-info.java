/** Tests of clients against the real registry, on the loopback address. */
@NullMarked
package dev.nola.endtoend;

import org.jspecify.annotations.NullMarked;
