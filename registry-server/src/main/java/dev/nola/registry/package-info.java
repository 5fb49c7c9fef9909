/** The registry: catalog, blobs, jobs, verification. */
@NullMarked
package dev.nola.registry;

import org.jspecify.annotations.NullMarked;
