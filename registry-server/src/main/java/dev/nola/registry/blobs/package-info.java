/**
 * Content-addressed storage of bytes: the port {@link dev.nola.registry.blobs.BlobStore}, its
 * implementation on a directory, garbage collection and scrubbing.
 */
@NullMarked
package dev.nola.registry.blobs;

import org.jspecify.annotations.NullMarked;
