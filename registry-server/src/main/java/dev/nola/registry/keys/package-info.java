/** Keys that workers sign with, and whether they are trusted. */
@NullMarked
package dev.nola.registry.keys;

import org.jspecify.annotations.NullMarked;
