/**
 * Names: what namespaces, adapters, versions, aliases, models, datasets and backends may be called.
 * Each rule stands here once, with the sentence that tells it; registry, clients and workers call
 * it.
 */
@NullMarked
package dev.nola.api.name;

import org.jspecify.annotations.NullMarked;
