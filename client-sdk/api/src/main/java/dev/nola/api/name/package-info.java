/**
 * Names: what namespaces, adapters, versions, aliases, models, datasets and backends may be called.
 * Each rule is defined here once, with its message; registry, clients and workers call it.
 */
@NullMarked
package dev.nola.api.name;

import org.jspecify.annotations.NullMarked;
