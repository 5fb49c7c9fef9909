/**
 * Wire records: what the registry and its clients say to each other. Stands on format-spec alone.
 */
@NullMarked
package dev.nola.api;

import org.jspecify.annotations.NullMarked;
