/**
 * Where the catalog's rows live: a PostgreSQL given by its URL or, when none is given, one that
 * this process starts on its own data directory.
 */
@NullMarked
package dev.nola.registry.database;

import org.jspecify.annotations.NullMarked;
