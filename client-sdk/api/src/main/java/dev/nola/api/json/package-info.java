/** JSON forms of values that are not records of this module. */
@NullMarked
package dev.nola.api.json;

import org.jspecify.annotations.NullMarked;
