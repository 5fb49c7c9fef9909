/** placeholder */
@NullMarked
package dev.nola.format;

import org.jspecify.annotations.NullMarked;
