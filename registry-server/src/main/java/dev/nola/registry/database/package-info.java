/**
 * The database of the catalog: a PostgreSQL named by its URL or, by default, one that this process
 * starts on its own data directory.
 */
@NullMarked
package dev.nola.registry.database;

import org.jspecify.annotations.NullMarked;
