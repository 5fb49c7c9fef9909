/** What packages of the library share; not for its users. */
@NullMarked
package dev.nola.client.internal;

import org.jspecify.annotations.NullMarked;
