/**
 * Rules for the names of namespaces, adapters, versions, aliases, models, datasets and backends.
 * Each rule is defined here once, with its message; registry, clients and workers call it.
 */
@NullMarked
package dev.nola.api.name;

import org.jspecify.annotations.NullMarked;
