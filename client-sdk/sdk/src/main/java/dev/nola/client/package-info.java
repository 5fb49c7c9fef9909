/**
 * The Java library for those who pull, verify, merge, export and publish adapters. Stands on
 * format-spec and api.
 */
@NullMarked
package dev.nola.client;

import org.jspecify.annotations.NullMarked;
