package dev.nola.api;

/**
 * A report of a garbage collection.
 *
 * @param blobs number of deleted blobs, to which no version referred
 * @param bytes total size of these in bytes
 * @param uploads number of deleted remains of interrupted uploads
 */
public record CollectionReport(long blobs, long bytes, int uploads) {}
