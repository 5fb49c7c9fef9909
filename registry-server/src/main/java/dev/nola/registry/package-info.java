/** The registry: catalog, blobs, jobs, verification. Stands on format-spec and api. */
@NullMarked
package dev.nola.registry;

import org.jspecify.annotations.NullMarked;
