/** JSON forms of values that are no records of this module's. */
@NullMarked
package dev.nola.api.json;

import org.jspecify.annotations.NullMarked;
