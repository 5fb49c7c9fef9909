/** Adapters, their versions and aliases: publishing, reading, searching. */
@NullMarked
package dev.nola.registry.catalog;

import org.jspecify.annotations.NullMarked;
