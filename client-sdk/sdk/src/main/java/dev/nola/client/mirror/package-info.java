/** Mirrors: read-only copies of adapters, kept in step with the registry that they come from. */
@NullMarked
package dev.nola.client.mirror;

import org.jspecify.annotations.NullMarked;
