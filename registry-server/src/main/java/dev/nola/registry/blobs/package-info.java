/**
 * Content-addressed storage of bytes: the port {@link dev.nola.registry.blobs.BlobStore}, its
 * implementations on a directory and on S3, garbage collection and scrubbing.
 */
@NullMarked
package dev.nola.registry.blobs;

import org.jspecify.annotations.NullMarked;
